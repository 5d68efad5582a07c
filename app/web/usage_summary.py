"""The figures at the head of the usage page: what overage cost so far, what it comes to, and what pays for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.http.filters import exact, money, number, places_of, short_day
from app.ledger import Balance
from app.metering.reads import MeterNow
from app.web import usage_ahead
from app.web.usage_ahead import Ahead
from app.web.usage_rows import WHERE, about
from app.web.usage_words import last_day


@dataclass(frozen=True, slots=True)
class Stat:
    """One figure with what it is and what it is made of; `link` is a pair of address and words."""

    label: str
    figure: str
    note: str
    link: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """What overage cost in a period, in micros: from the wallet, of that held for today, and on an invoice."""

    wallet: int
    held: int
    invoice: int

    @property
    def total(self) -> int:
        return self.wallet + self.invoice

    @property
    def places(self) -> int:
        """Decimals under which all of these stand."""
        return places_of((self.wallet, self.held, self.invoice))


def costs_of(meters: Sequence[MeterNow], invoiced: int) -> Costs:
    """The sums over all meters; `invoiced` micros of them land on an invoice."""
    wallet = sum(meter.over_micros for meter in meters) - invoiced
    # At the turn of a period the hold of the day is partly of the one before.
    return Costs(wallet, min(wallet, sum(meter.held_micros for meter in meters)), invoiced)


def stats_now(
    ahead: Sequence[Ahead], costs: Costs, wallet: Balance, cap: int | None, *, top_up: str, limits: str
) -> list[Stat]:
    """The figures of the period that is running; none where nothing can cost more than the plan.

    `top_up` and `limits` are the addresses of where to top up and where to set the cap.
    """
    if not costs.total and not any(_costs_more(one.meter) for one in ahead):
        return []
    end = ahead[0].meter.period.end
    by = short_day(last_day(end))
    said = _projected(ahead, costs, cap)
    stats = [
        Stat("Overage so far", exact(costs.total, places=costs.places), _paid(costs, short_day(end.date()))),
        Stat(f"Projected overage by {by}", *said),
    ]
    if any(one.meter.mode == "wallet" and _costs_more(one.meter) for one in ahead):
        stats.append(_wallet(wallet, ahead, top_up))
    else:
        stats.append(_cap(costs, cap, limits))
    return stats


def stats_then(meters: Sequence[MeterNow], costs: Costs, busiest: tuple[str, int, str] | None) -> list[Stat]:
    """The figures of a period that is over. `busiest`: the day with most units, how many, and of what."""
    stats = [
        Stat("Overage", exact(costs.total, places=costs.places), _paid(costs, short_day(meters[0].period.end.date())))
    ]
    if busiest:
        day, quantity, unit = busiest
        stats.append(Stat("Busiest day", day, f"{number(quantity)} {unit}"))
    return stats


def _costs_more(meter: MeterNow) -> bool:
    return meter.allowance is not None and meter.mode in WHERE


def _paid(costs: Costs, invoiced_on: str) -> str:
    places = costs.places
    said = []
    if costs.wallet:
        said.append(f"{exact(costs.wallet - costs.held, places=places)} charged")
        if costs.held:
            said.append(f"{exact(costs.held, places=places)} held for today")
    if costs.invoice:
        sum_of_it = f"{exact(costs.invoice, places=places)} " if costs.wallet else "Lands "
        said.append(f"{sum_of_it}on the invoice of {invoiced_on}")
    return ", ".join(said) or "Everything is within the plan"


def _projected(ahead: Sequence[Ahead], costs: Costs, cap: int | None) -> tuple[str, str]:
    """The figure and its method; a cap that will be reached is where it stops."""
    total = usage_ahead.cost(ahead)
    days = max(one.pace.days for one in ahead)
    if not days:
        return "Too early", "Told from the first full day on"
    if cap is not None and total > cap:
        return about(max(cap, costs.total)), f"Your spend cap stops it there; without it about {about(total)}"
    full = "the last 7 full days" if days > 1 else "yesterday alone"
    return about(total), f"From the average of {full}" if days in (1, 7) else f"From the average of {days} full days"


def _wallet(wallet: Balance, ahead: Sequence[Ahead], top_up: str) -> Stat:
    figure = money(wallet.available)
    if wallet.frozen:
        return Stat("Wallet frozen", figure, "What goes over is refused until it is thawed.")
    covered = usage_ahead.days_covered(wallet.available, ahead)
    return Stat("Wallet available", figure, _covers(covered, ahead), (top_up, "Top up"))


def _covers(covered: int | None, ahead: Sequence[Ahead]) -> str:
    if covered is None:
        if not any(one.pace.days for one in ahead):
            return "Pays for what goes over."
        more = any(one.cost > one.meter.over_micros for one in ahead)
        return "Covers the rest of the period." if more else "No more overage is expected."
    if covered == 0:
        return "Covers less than a day."
    return f"Covers about {covered} day{'' if covered == 1 else 's'}."


def _cap(costs: Costs, cap: int | None, limits: str) -> Stat:
    if cap is None:
        return Stat("Spend cap", "None", "Overage is not limited.", (limits, "Set a cap"))
    left = max(0, cap - costs.total)
    return Stat("Left of your spend cap", exact(left), f"Of {exact(cap)} a period.", (limits, "Change"))
