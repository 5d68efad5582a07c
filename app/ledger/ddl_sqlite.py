"""SQLite's triggers on the books.

SQLite has no statement triggers and no deferred ones, so an entry is written legs first and then *sealed*: inserting
the entry row checks that its legs are all there and sum to zero, and from then on no leg can join it. A leg without
an entry cannot be committed, by the deferred foreign key.
"""

from __future__ import annotations


def _refuse(name: str, when: str, table: str, sentence: str, condition: str = "") -> str:
    clause = f" WHEN {condition}" if condition else ""
    return f"CREATE TRIGGER {name} {when} ON {table}{clause} BEGIN SELECT RAISE(ABORT, '{sentence}'); END"


_LEGS_OF_NEW = "FROM ledger_leg WHERE customer_id = NEW.customer_id AND entry_id = NEW.id"

STATEMENTS: dict[str, list[str]] = {
    "ledger_account": [
        _refuse(
            "ledger_account_opens_empty",
            "BEFORE INSERT",
            "ledger_account",
            "a ledger account opens empty",
            "NEW.balance <> 0 OR NEW.held <> 0 OR NEW.promo <> 0 OR NEW.version <> 0",
        ),
        _refuse("ledger_account_stays", "BEFORE DELETE", "ledger_account", "a ledger account is never deleted"),
        # The stored balance may only become what the newest leg says.
        _refuse(
            "ledger_account_follows_legs",
            "BEFORE UPDATE",
            "ledger_account",
            "a balance changes only with a leg, and a frozen account holds no more",
            "NEW.frozen AND NEW.held > OLD.held "
            "OR (NEW.balance <> OLD.balance OR NEW.version <> OLD.version) AND NOT EXISTS (SELECT 1 FROM ledger_leg "
            "WHERE customer_id = NEW.customer_id AND account = NEW.kind AND asset = NEW.asset "
            "AND seq = NEW.version AND seq IS NOT NULL AND balance_after = NEW.balance)",
        ),
    ],
    "ledger_entry": [
        _refuse("ledger_entry_no_update", "BEFORE UPDATE", "ledger_entry", "ledger entries are append-only"),
        _refuse("ledger_entry_no_delete", "BEFORE DELETE", "ledger_entry", "ledger entries are append-only"),
        # INSERT OR REPLACE deletes without asking the delete trigger, so it is caught before.
        _refuse(
            "ledger_entry_no_replace",
            "BEFORE INSERT",
            "ledger_entry",
            "UNIQUE: this ledger entry or its key exists",
            "EXISTS (SELECT 1 FROM ledger_entry WHERE customer_id = NEW.customer_id AND id = NEW.id) "
            "OR EXISTS (SELECT 1 FROM ledger_entry WHERE customer_id = NEW.customer_id AND key = NEW.key)",
        ),
        _refuse(
            "ledger_entry_seals",
            "AFTER INSERT",
            "ledger_entry",
            "the legs of a ledger entry must be complete and sum to zero",
            f"(SELECT count(*) <> NEW.legs OR max(position) <> NEW.legs - 1 OR min(position) <> 0 {_LEGS_OF_NEW}) "
            f"OR EXISTS (SELECT 1 {_LEGS_OF_NEW} GROUP BY asset HAVING sum(amount) <> 0)",
        ),
    ],
    "ledger_leg": [
        _refuse("ledger_leg_no_update", "BEFORE UPDATE", "ledger_leg", "ledger legs are append-only"),
        _refuse("ledger_leg_no_delete", "BEFORE DELETE", "ledger_leg", "ledger legs are append-only"),
        _refuse(
            "ledger_leg_sealed",
            "BEFORE INSERT",
            "ledger_leg",
            "a leg cannot join a ledger entry already written",
            "EXISTS (SELECT 1 FROM ledger_entry WHERE customer_id = NEW.customer_id AND id = NEW.entry_id) "
            "OR EXISTS (SELECT 1 FROM ledger_leg WHERE customer_id = NEW.customer_id AND entry_id = NEW.entry_id "
            "AND position = NEW.position)",
        ),
    ],
    "ledger_hold": [
        _refuse("ledger_hold_no_delete", "BEFORE DELETE", "ledger_hold", "holds are never deleted"),
        _refuse(
            "ledger_hold_no_replace",
            "BEFORE INSERT",
            "ledger_hold",
            "UNIQUE: this hold or its key exists",
            "EXISTS (SELECT 1 FROM ledger_hold WHERE customer_id = NEW.customer_id AND id = NEW.id) "
            "OR EXISTS (SELECT 1 FROM ledger_hold WHERE customer_id = NEW.customer_id AND key = NEW.key)",
        ),
        _refuse(
            "ledger_hold_ends_once",
            "BEFORE UPDATE",
            "ledger_hold",
            "a hold ends once, and until then its amount only grows",
            "OLD.state <> 'held' OR NEW.id <> OLD.id OR NEW.customer_id <> OLD.customer_id "
            "OR NEW.account <> OLD.account OR NEW.asset <> OLD.asset OR NEW.key <> OLD.key "
            "OR NEW.request_hash <> OLD.request_hash OR NEW.created_at <> OLD.created_at "
            "OR NEW.expires_at <> OLD.expires_at OR NEW.data <> OLD.data "
            "OR CASE WHEN NEW.state = 'held' THEN NEW.amount <= OLD.amount OR NEW.settled_amount IS NOT NULL "
            "OR NEW.settled_entry IS NOT NULL ELSE NEW.amount <> OLD.amount END",
        ),
    ],
}
