"""Requests and replies held against botocore's own models of the service."""

import base64
import datetime as dt
import functools
import re
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.validate import ParamValidator


class Invalid(Exception):
    """A request that the service would refuse; the text says where and why."""

    def __init__(self, message: str, code: str = "ValidationException", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@functools.cache
def service(name: str) -> ServiceModel:
    """The model of a service as the installed botocore has it."""
    return botocore.session.get_session().get_service_model(name)


def knows(name: str, operation: str, *path: str) -> bool:
    """Whether the installed botocore knows the operation, and the members of its values."""
    if operation not in service(name).operation_names:
        return False
    model = service(name).operation_model(operation)
    shapes = [model.input_shape, model.output_shape]
    for member in path:
        shapes = [_inside(shape).members.get(member) for shape in shapes if shape is not None]
        shapes = [shape for shape in shapes if shape is not None]
    return bool(shapes)


def _inside(shape: Any) -> Any:
    while shape.type_name == "list":
        shape = shape.member
    return shape


def parsed(operation: OperationModel, raw: dict[str, Any]) -> dict[str, Any]:
    """A request's values from their JSON form. Raises ``Invalid``."""
    shape = operation.input_shape
    params: dict[str, Any] = _from_wire(shape, raw, operation.name)
    report = ParamValidator().validate(params, shape)
    if report.has_errors():
        raise Invalid(report.generate_report())
    return params


def written(shape: Shape, value: Any) -> Any:
    """A reply's JSON form. A reply that the model of the service forbids is a bug of the test."""
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        raise AssertionError(f"{shape.name}: {report.generate_report()}")
    return _to_wire(shape, value)


def _from_wire(shape: Shape, value: Any, where: str) -> Any:
    if getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "structure":
        return _structure(shape, value, where)
    if shape.type_name == "list" and isinstance(value, list):
        return [_from_wire(shape.member, item, f"{where}[{n}]") for n, item in enumerate(value)]
    if shape.type_name == "blob":
        try:
            return base64.b64decode(value, validate=True)
        except (ValueError, TypeError) as error:
            raise Invalid(f"{where}: not base64") from error
    if shape.type_name == "string":
        _check_text(shape, value, where)
    return value


def _structure(shape: Shape, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{where}: not an object")
    if unknown := value.keys() - shape.members.keys():
        raise Invalid(f"{where}: unknown field {sorted(unknown)}")
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        raise Invalid(f"{where}: one of {sorted(shape.members)} must be set, got {sorted(value)}")
    return {
        name: _from_wire(shape.members[name], item, f"{where}.{name}")
        for name, item in value.items()
    }


def _check_text(shape: Shape, value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise Invalid(f"{where}: not a string")
    if shape.enum and value not in shape.enum:
        raise Invalid(f"{where}: '{value}' is none of {shape.enum}")
    if len(value) > shape.metadata.get("max", len(value)):
        raise Invalid(f"{where}: longer than {shape.metadata['max']}")
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern, value):
        raise Invalid(f"{where}: '{value}' failed to satisfy constraint: {pattern}")


def _to_wire(shape: Shape, value: Any) -> Any:
    if getattr(shape, "is_document_type", False):
        return value
    if shape.type_name == "structure":
        return {name: _to_wire(shape.members[name], item) for name, item in value.items()}
    if shape.type_name == "list":
        return [_to_wire(shape.member, item) for item in value]
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return value
