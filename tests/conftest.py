"""Options of the whole suite."""


def pytest_addoption(parser):
    parser.addoption("--seed", type=int, help="run this one seed of the simulated rollouts")
    parser.addoption("--seeds", type=int, default=100, help="how many seeds of the simulated rollouts to run")
    parser.addoption("--rewrite-stories", action="store_true", help="write the golden stories anew")


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        one, count = metafunc.config.getoption("--seed"), metafunc.config.getoption("--seeds")
        metafunc.parametrize("seed", range(count) if one is None else [one])
