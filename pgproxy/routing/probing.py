"""One probe of one endpoint, for an operator's question; gateways have their own probers."""

from pgproxy.control.fleet import Endpoint, EndpointState
from pgproxy.engines.node_tls import NodeTls
from pgproxy.engines.remote import remote_engine
from pgproxy.routing.resolve import EndpointHealth, EndpointStatus
from pgwire.errors import GatewayError


async def probe_once(endpoint: Endpoint, tls: NodeTls) -> EndpointStatus:
    """Ask the node how it is; one that gives no good answer is unhealthy."""
    engine = remote_engine(endpoint, tls)
    try:
        report = await engine.probe()
    except GatewayError:
        health = EndpointHealth.UNHEALTHY
        return EndpointStatus(endpoint.name, health, 0, endpoint.capacity or 1, endpoint.all_labels)
    finally:
        await engine.close()
    is_draining = report.is_draining or endpoint.state is EndpointState.DRAINING
    return EndpointStatus(
        endpoint.name,
        EndpointHealth.DRAINING if is_draining else EndpointHealth.ACTIVE,
        report.load,
        endpoint.capacity or report.capacity or 1,
        endpoint.all_labels,
    )
