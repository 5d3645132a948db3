"""What of a starting stack is still missing, as its front door tells.

`python -m deploy.readiness` exits 0 when nothing is: a health check for containers.
"""

import json
import sys
import urllib.error
import urllib.request

from schemas.settings import Settings, get_settings

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Never through a proxy: the address is this machine's."""


def missing(at: str) -> tuple[str, ...]:
    """Return the parts that `/health/ready` names as not there yet; empty when all are."""
    try:
        with _direct.open(f"{at}/health/ready", timeout=10) as response:
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


def address(settings: Settings) -> str:
    """Return where this machine reaches the web process of `settings`."""
    here = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}
    return f"http://{here.get(settings.host, settings.host)}:{settings.port}"


if __name__ == "__main__":
    still = missing(address(get_settings()))
    print("ready" if not still else f"missing: {', '.join(still)}")
    sys.exit(1 if still else 0)
