"""One probe of one endpoint, for an operator's question; gateways have their own probers."""

from pgproxy.control.fleet import Endpoint, EndpointState
from pgproxy.engines.node_tls import NodeTls
from pgproxy.engines.probe import ProbeReport
from pgproxy.engines.remote import remote_engine
from pgproxy.routing.resolve import EndpointHealth, EndpointStatus
from pgwire.errors import GatewayError


async def ask_node(endpoint: Endpoint, tls: NodeTls) -> ProbeReport | None:
    """Ask the node how it is; None: it gave no good answer."""
    engine = remote_engine(endpoint, tls)
    try:
        return await engine.probe()
    except GatewayError:
        return None
    finally:
        await engine.close()


async def probe_once(endpoint: Endpoint, tls: NodeTls) -> EndpointStatus:
    """Ask the node how it is; one that gives no good answer is unhealthy."""
    report = await ask_node(endpoint, tls)
    if report is None:
        health = EndpointHealth.UNHEALTHY
        return EndpointStatus(endpoint.name, health, 0, endpoint.capacity or 1, endpoint.all_labels)
    is_draining = report.is_draining or endpoint.state is EndpointState.DRAINING
    return EndpointStatus(
        endpoint.name,
        EndpointHealth.DRAINING if is_draining else EndpointHealth.ACTIVE,
        report.load,
        endpoint.capacity or report.capacity or 1,
        endpoint.all_labels,
    )
