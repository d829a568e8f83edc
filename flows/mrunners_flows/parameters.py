"""How a flow's parameters look in the Prefect UI's form, beyond what their models say.

It must not change what a flow takes.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

__all__ = ["titled"]


def titled(title: str, **bounds: Any) -> Any:
    """Annotates a parameter with its title in the form, and the bounds that the form checks.

    Prefect titles each parameter with its bare name; what comes as extra schema is laid over that.
    """
    return Field(json_schema_extra={"title": title, **bounds})
