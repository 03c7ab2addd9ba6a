"""The life of one module in a base, as a table. In: a state and what happens. Out: the next state. Pure.

unresolved --register--> resolved --start--> activated <--switch--> deactivated
     resolved --fail--> broken;  activated, deactivated, broken --stop--> stopped --remove--> unresolved
"""

from enum import StrEnum

from arkwright.model.arklet import BizState


class Step(StrEnum):
    REGISTER = "register"
    ACTIVATE = "activate"
    DEACTIVATE = "deactivate"
    FAIL = "fail"
    STOP = "stop"


TRANSITIONS: dict[tuple[BizState, Step], BizState] = {
    (BizState.UNRESOLVED, Step.REGISTER): BizState.RESOLVED,
    (BizState.RESOLVED, Step.ACTIVATE): BizState.ACTIVATED,
    (BizState.RESOLVED, Step.DEACTIVATE): BizState.DEACTIVATED,
    (BizState.RESOLVED, Step.FAIL): BizState.BROKEN,
    (BizState.ACTIVATED, Step.ACTIVATE): BizState.ACTIVATED,
    (BizState.ACTIVATED, Step.DEACTIVATE): BizState.DEACTIVATED,
    (BizState.ACTIVATED, Step.STOP): BizState.STOPPED,
    (BizState.DEACTIVATED, Step.ACTIVATE): BizState.ACTIVATED,
    (BizState.DEACTIVATED, Step.STOP): BizState.STOPPED,
    (BizState.BROKEN, Step.STOP): BizState.STOPPED,
}


class IllegalStep(Exception):
    """The module's state does not allow this step; the message says which states do."""


def next_state(state: BizState, step: Step) -> BizState:
    """Raises IllegalStep where the table has no entry."""
    try:
        return TRANSITIONS[state, step]
    except KeyError:
        allowed = ", ".join(sorted({before for before, possible in TRANSITIONS if possible is step}))
        raise IllegalStep(f"a module that is {state} cannot {step}; it must be {allowed}") from None
