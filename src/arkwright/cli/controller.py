"""`arkwright controller`: the loop, on whatever Kubernetes API the environment names."""

import logging
from typing import Annotated

import structlog
import typer
import uvloop

from arkwright.cli.loglines import renderer as renderer_of_lines
from arkwright.cli.output import fail
from arkwright.clients.agentaccess import AgentAccess
from arkwright.clients.arklet import Timeouts
from arkwright.clients.errors import BadAccess, BadCredentials
from arkwright.controller.agentcalls import Limits
from arkwright.controller.app import ApiLimits, Health, Looks, Settings, run_controller
from arkwright.controller.leader import Terms


def controller(
    namespace: Annotated[str, typer.Option(help="Only this namespace; all if left out.")] = "",
    health_host: Annotated[str, typer.Option(help="Address of /healthz, /readyz and /metrics.")] = "127.0.0.1",
    health_port: Annotated[int, typer.Option(help="Port of /healthz, /readyz and /metrics.")] = 8081,
    workers: Annotated[int, typer.Option(help="Keys planned at once.")] = 64,
    pace: Annotated[float, typer.Option(help="Least seconds between two looks at one ModuleDeployment.")] = 0.05,
    drift_period: Annotated[float, typer.Option(help="Seconds until a base is asked again; 0: never.")] = 60.0,
    calls_per_pod: Annotated[int, typer.Option(help="Calls at once to one base.")] = 4,
    calls: Annotated[int, typer.Option(help="Calls at once to all bases.")] = 400,
    connect_timeout: Annotated[float, typer.Option(help="Seconds to reach an agent.")] = 3.0,
    install_timeout: Annotated[float, typer.Option(help="Seconds for an install.")] = 300.0,
    uninstall_timeout: Annotated[float, typer.Option(help="Seconds for an uninstall, draining included.")] = 60.0,
    query_timeout: Annotated[float, typer.Option(help="Seconds for a question to an agent.")] = 5.0,
    agent_token_file: Annotated[str, typer.Option(help="File with the token that agents ask for.")] = "",
    agent_ca: Annotated[str, typer.Option(help="PEM file of who signs agents' certificates; calls go over TLS.")] = "",
    agent_certificate: Annotated[str, typer.Option(help="PEM file of our own certificate, for agents that ask.")] = "",
    agent_key: Annotated[str, typer.Option(help="PEM file of its key.")] = "",
    api_timeout: Annotated[float, typer.Option(help="Seconds for a request to the Kubernetes API.")] = 30.0,
    api_writes: Annotated[int, typer.Option(help="Writes to the Kubernetes API at once.")] = 64,
    leader_election: Annotated[bool, typer.Option(help="Act only while holding the Lease.")] = True,
    lease_namespace: Annotated[str, typer.Option(help="Where the Lease lies.", envvar="POD_NAMESPACE")] = "default",
    lease_name: Annotated[str, typer.Option(help="The Lease's name.")] = "arkwright",
    lease_duration: Annotated[float, typer.Option(help="Seconds until a silent leader is replaced.")] = 15.0,
    lease_renew: Annotated[float, typer.Option(help="Seconds between renewals.")] = 3.0,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    log_format: Annotated[str, typer.Option(help="text or json.")] = "text",
) -> None:
    """Release modules, on the API server that KUBECONFIG names, else (in a pod) on its own cluster's."""
    _configure_log(log_level, log_format)
    settings = Settings(
        namespace=namespace,
        health=Health(health_host, health_port),
        looks=Looks(workers, pace, drift_period),
        timeouts=Timeouts(connect_timeout, install_timeout, uninstall_timeout, query_timeout),
        agents=AgentAccess(agent_token_file, agent_ca, agent_certificate, agent_key),
        limits=Limits(calls_per_pod, calls),
        api=ApiLimits(api_timeout, api_writes),
        terms=Terms(lease_namespace, lease_name, lease_duration, lease_renew) if leader_election else None,
    )
    _run(settings)


def _run(settings: Settings) -> None:
    try:
        was_told_to_stop = uvloop.run(run_controller(settings))
    except BadCredentials as error:
        fail(str(error), "set KUBECONFIG to the file of a cluster, or run this in a pod with a service account")
    except BadAccess as error:
        fail(
            str(error), "--agent-ca, --agent-certificate and --agent-key name PEM files, --agent-token-file a text file"
        )
    except OSError as error:
        where = f"{settings.health.host}:{settings.health.port}"
        fail(f"cannot listen on {where}: {error.strerror}", "choose another port with --health-port (0: any free one)")
    if not was_told_to_stop:
        fail(
            "the Lease was lost: the API server was silent for too long, or another controller has taken it",
            "start again",
        )


def _configure_log(level: str, format: str) -> None:
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None or format not in ("text", "json"):
        fail(f"--log-level {level} --log-format {format} is not known", "levels: debug, info, warning, error")
    renderer = structlog.processors.JSONRenderer() if format == "json" else renderer_of_lines()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer() if format == "json" else structlog.dev.set_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        cache_logger_on_first_use=True,
    )
