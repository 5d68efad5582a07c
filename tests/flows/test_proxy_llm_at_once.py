"""Fifty model calls at once on a wallet that can pay ten: ten are made, and not a micro more is spent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app import clock as the_clock
from app import ledger
from app.catalogue import publish
from app.catalogue.terms import Catalogue, LlmPriceTerms
from app.db import transaction
from app.flows import proxy_llm
from app.flows.proxy_llm import Caller, Proxy
from app.llm.refusals import WalletEmpty
from app.upstreams.chat import ChatRequest
from tests.support.llm_double import LlmDouble
from tests.support.people import Person
from tests.support.proxying import body_of


@pytest.mark.both_databases
def test_fifty_at_once_spend_what_the_wallet_can_pay(proxy: Proxy, ada: Person, session, llm_double: LlmDouble) -> None:
    start, together = ada.balance(), Barrier(50)
    with transaction(session):
        price = LlmPriceTerms("gpt-4o", "2026-01-01", "usd", 1, 100_000_000, 1, 1)
        publish.apply(session, Catalogue(llm_prices=(price,)), actor="test")
        # Six tokens of output are 600 micros and next to nothing for the input: ten calls can be held for.
        until = the_clock.now() + timedelta(hours=1)
        ledger.hold(session, ada.wallet, start - 6_010, key="most", expires_at=until)

    def call(number: int) -> bool:
        request = ChatRequest.model_validate(body_of("openai", max_tokens=6, stream=bool(number % 2)))
        together.wait()
        try:
            make = proxy_llm.stream if request.stream else proxy_llm.whole
            return bool(list(make(proxy, Caller(ada.customer_id, "key_1"), request)))
        except WalletEmpty:
            return False

    with ThreadPoolExecutor(50) as pool:
        served = sum(pool.map(call, range(50)))

    assert (served, len(llm_double.visits), start - ada.balance()) == (10, 10, 6_000)
    assert ledger.balance(session, ada.wallet).available == 10
