"""What the agent shall do, as `up` wrote it; it must not look anything up."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["DEFAULT_LOG_LIMIT", "Orders", "dump_orders", "load_orders"]

# The kubelet's containerLogMaxSize.
DEFAULT_LOG_LIMIT = 10 * 1024 * 1024


@dataclass(frozen=True)
class Orders:
    """Everything the agent has to know; a second `up` may change hosts, images and the limit."""

    cluster: str
    server: str
    authority: str
    certificate: str
    key: str
    programs: str
    process_hosts: int
    log_limit_bytes: int = DEFAULT_LOG_LIMIT
    # Beside the built-in table: NAME=PATH:FILE each.
    images: tuple[str, ...] = ()


def dump_orders(orders: Orders) -> str:
    """JSON of the orders.

    Args:
        orders: all of them.
    """
    return json.dumps(asdict(orders), indent=1)


def load_orders(path: Path) -> Orders:
    """The orders in a file.

    Args:
        path: as `up` wrote it.
    """
    raw = json.loads(path.read_text())
    return Orders(**(raw | {"images": tuple(raw["images"])}))
