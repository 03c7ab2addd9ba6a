"""All cases of the table."""

from parity import (
    cases_ends,
    cases_fastapi,
    cases_flask,
    cases_frameworks,
    cases_interpreter,
    cases_libraries,
    cases_logging,
    cases_names,
    cases_processes,
    cases_protocol,
    cases_requirements,
    cases_starting,
    cases_timers,
    cases_websockets,
    cases_wsgi,
)

SUBJECTS = (
    cases_starting,
    cases_logging,
    cases_names,
    cases_requirements,
    cases_protocol,
    cases_ends,
    cases_websockets,
    cases_fastapi,
    cases_flask,
    cases_wsgi,
    cases_frameworks,
    cases_libraries,
    cases_timers,
    cases_processes,
    cases_interpreter,
)
CASES = tuple(case for subject in SUBJECTS for case in subject.CASES)
