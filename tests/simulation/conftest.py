"""Every test here runs in faked time, with a quiet log."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def quiet_log():
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), cache_logger_on_first_use=False)
    yield
    structlog.reset_defaults()
