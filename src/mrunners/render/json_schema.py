"""The JSON Schema (draft 2020-12) of each document that mrunners prints, made from its records.

The schemas require every key that is always written, and accept unknown keys: a later release may
add keys within the same version, and that must not break a consumer's validation. `dev/schema`
writes them to docs/schema.
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
from mrunners.render.terminal.run_tables import RunList
from mrunners.reports.merged import MergedReport

__all__ = ["SCHEMAS", "json_schema"]

# By the name of the published file.
SCHEMAS: Mapping[str, type[BaseModel]] = {
    "list-v1": RunList,
    "report-v1": MergedReport,
    "status-v1": RunStatus,
}

# The merged report has these with raw data only; every other key is always written.
_OPTIONAL_KEYS = {MergedReport: {"latenciesByURL", "errors"}}

# `    name: text` in a docstring's section Attributes, and the text's further lines.
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)


def json_schema(name: str) -> str:
    """Return the text of one published schema, which ends with a newline.

    Args:
        name: A key of SCHEMAS.
    """
    schema = SCHEMAS[name].model_json_schema(
        by_alias=True, mode="serialization", schema_generator=_DescribingGenerator
    )
    document = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": f"urn:mrunners:schema:{name}",
        **schema,
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


class _DescribingGenerator(GenerateJsonSchema):
    """pydantic's generator, which also describes each property in its docstring's words."""

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        result = super().model_schema(schema)
        cls = schema["cls"]
        properties = result.get("properties")
        if not isinstance(properties, dict):
            return result
        docstring = inspect.cleandoc(cls.__doc__ or "")
        summary, _, attributes = docstring.partition("\n\nAttributes:\n")
        descriptions = {
            name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(attributes)
        }
        for name, field in cls.model_fields.items():
            prop = properties[field.alias or name]
            # Titles only repeat the keys; a default would say that the key may be left out.
            prop.pop("title", None)
            prop.pop("default", None)
            if name in descriptions:
                prop["description"] = descriptions[name].replace("None", "null")
        result["description"] = " ".join(summary.split())
        optional = _OPTIONAL_KEYS.get(cls, ())
        result["required"] = [key for key in properties if key not in optional]
        result.pop("additionalProperties", None)
        return result
