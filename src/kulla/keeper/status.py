"""What an operator sees of a running keeper: its copies, its alarms, how much there is of what."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kulla.keeper.core import Keeper


def of(keeper: "Keeper") -> dict[str, object]:
    """See keeper_client. `alarms` are words that docs/keeper.md explains; none names anybody."""
    copies = keeper.copies.status()
    alarms = [f"copy_conflict:{copy['name']}" for copy in copies if copy["conflict"]]
    alarms += [f"copy_silent:{copy['name']}" for copy in copies if not copy["ok"] and not copy["conflict"]]
    if keeper.committer.disk_full:
        alarms.append("disk_full")
    if keeper.budgets.segments_low:
        alarms.append("segment_keys")
    if keeper.sign_in.attempts.storm:
        alarms.append("sign_in_storm")
    if keeper.register.passed_over:
        alarms.append("records_passed_over")
    if keeper.looks.overdue:
        alarms.append("log_unconfirmed")
    if keeper.live_register:
        alarms += keeper.live_register.alarms
    if keeper.committer.failed or not keeper.committer.ready.is_set() or keeper.committer.waiting:
        alarms.append("records_waiting")
    alarms += keeper.administration.alarms()
    delivery = keeper.delivery.status()
    alarms += delivery.pop("alarms")
    return {
        "copies": copies,
        "root_key": keeper.ring.root_kind,
        "unconfirmed": keeper.looks.unconfirmed,
        "people": keeper.people.count(),
        "records": keeper.records.last,
        "alarms": alarms,
        "demo": keeper.config.demo,
        "delivery": delivery,
        **keeper.accounts.status(),
        **(keeper.my_data.status() if hasattr(keeper, "my_data") else {}),
    }
