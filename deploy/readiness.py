"""What of a starting stack is still missing, as its front door tells."""

import json
import urllib.error
import urllib.request

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Never through a proxy: the address is this machine's."""


def missing(address: str) -> tuple[str, ...]:
    """Return the parts that `/health/ready` names as not there yet; empty when all are."""
    try:
        with _direct.open(f"{address}/health/ready", timeout=2) as response:
            body = response.read()
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
    except OSError:
        return ("the web process",)
    try:
        parts: dict[str, bool] = json.loads(body)["parts"]
    except (ValueError, KeyError, TypeError):
        return ("an answer of the web process that names its parts",)
    return tuple(name for name, there in parts.items() if not there)
