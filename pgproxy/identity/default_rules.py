"""The hba rules that hold while the control plane has none."""

from pgproxy.control.hba import ALL, ConnectionType, HbaMethod, HbaName, HbaRule
from pgproxy.net.client_certificates import ClientCertificates


def default_hba_rules(certificates: ClientCertificates) -> tuple[HbaRule, ...]:
    """All may come, by SCRAM or as CLIENT_CERT_AUTH says."""
    everybody = (HbaName(ALL),)
    method, options = {
        ClientCertificates.OFF: (HbaMethod.SCRAM, {}),
        ClientCertificates.OPTIONAL: (HbaMethod.SCRAM, {"clientcert": "sufficient"}),
        ClientCertificates.REQUIRED: (HbaMethod.CERT, {}),
    }[certificates]
    return (HbaRule(ConnectionType.HOST, everybody, everybody, None, method, options),)
