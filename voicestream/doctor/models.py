"""The model that is asked for: is it listed, and will it be shut down. Costs nothing."""

from __future__ import annotations

from collections.abc import Iterator

from voicestream.doctor.finding import Finding, broken
from voicestream.errors import EndpointError
from voicestream.session.wiring import http_endpoint
from voicestream.settings.table import Settings
from voicestream.speech.http.models import Model, models_of

_ELSE = "Choose another with --model."
_PERHAPS = "Some servers take any name; where this one does not, choose another with --model."
_MOST_NAMED = 8


def gone_finding(about: str, settings: Settings) -> Iterator[Finding]:
    """Yield what the endpoint said of its models in earlier runs."""
    for url, gone in sorted(settings.gone_models):
        if url == settings.base_url:
            yield Finding(
                about,
                "look",
                f"{gone} was shut down there, as the endpoint once said; "
                f"{settings.model} is asked instead",
                figures={"gone": gone},
            )


def list_findings(about: str, settings: Settings) -> Iterator[Finding]:
    """Yield what its list says where no speech is asked for: that it takes the key, above all."""
    try:
        models = _listed(settings)
    except EndpointError as error:
        yield broken(about, error)
        return
    if models is None:
        yield Finding(about, "look", "it lists no models, so nothing is known of the key")
        return
    yield Finding(about, "good", f"it lists {_count(len(models))}", enough=True)
    model = next((model for model in models if model.id == settings.model), None)
    if model is None:
        named = ", ".join(model.id for model in models[:_MOST_NAMED]) or "none"
        yield Finding(about, "look", f"{settings.model} is not in its list ({named})", _PERHAPS)
    else:
        yield from _ending(about, model)


def ending_findings(about: str, settings: Settings) -> Iterator[Finding]:
    """Yield what its list says of the model that has spoken. Without a list there is nothing to
    tell."""
    try:
        models = _listed(settings) or []
    except EndpointError:
        return  # it has spoken, so this is of no weight
    yield from (
        finding
        for model in models
        if model.id == settings.model
        for finding in _ending(about, model)
    )


def _count(models: int) -> str:
    return "1 model" if models == 1 else f"{models} models"


def _listed(settings: Settings) -> list[Model] | None:
    endpoint = http_endpoint(settings)
    try:
        return models_of(endpoint)
    finally:
        endpoint.close()


def _ending(about: str, model: Model) -> Iterator[Finding]:
    if not model.ends:
        yield Finding(
            about, "good", f"it lists {model.id}, and names no day when it will be shut down"
        )
        return
    told = f"{model.id} will be shut down, says its list: {model.ends}"
    yield Finding(about, "look", told, _ELSE, figures={"ends": model.ends})
