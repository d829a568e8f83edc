"""The JSON Schema (draft 2020-12) of each document that mrunners prints, made from its records.

It must not touch the published files in docs/schema: dev/schema writes them anew.

The schema asks for every key that is always there, and lets unknown keys pass: a later release may
add some within the same version, and whoever validates must not break over that.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from mrunners.render.terminal.run_status import RunStatus
from mrunners.reports.merged import MergedReport

__all__ = ["SCHEMAS", "json_schema"]

# By the name of the published file.
SCHEMAS: Mapping[str, type[BaseModel]] = {
    "report-v1": MergedReport,
    "status-v1": RunStatus,
}

# The merged report has these with raw data only; everything else is always written.
_SOMETIMES = {MergedReport: {"latenciesByURL", "errors"}}

_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)


def json_schema(name: str) -> str:
    """The text of one published schema, ended by a newline.

    Args:
        name: a key of SCHEMAS.
    """
    schema = SCHEMAS[name].model_json_schema(
        by_alias=True, mode="serialization", schema_generator=_Generator
    )
    whole = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:mrunners:schema:{name}",
        **schema,
    }
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


class _Generator(GenerateJsonSchema):
    """pydantic's generator, with the docstrings' words at each property."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        result = super().model_schema(schema)
        cls = schema["cls"]
        properties = result.get("properties")
        if not isinstance(properties, dict):
            return result
        text = inspect.cleandoc(cls.__doc__ or "")
        first, _, attributes = text.partition("\n\nAttributes:\n")
        words = {name: " ".join(said.split()) for name, said in _ATTRIBUTE.findall(attributes)}
        for name, field in cls.model_fields.items():
            prop = properties[field.alias or name]
            # Titles only repeat the keys; a default would say that the key may be left out.
            prop.pop("title", None)
            prop.pop("default", None)
            if name in words:
                prop["description"] = words[name].replace("None", "null")
        result["description"] = " ".join(first.split())
        result["required"] = [key for key in properties if key not in _SOMETIMES.get(cls, ())]
        result.pop("additionalProperties", None)
        return result
