"""What the hub's own scanners say of a repository. The one place that asks, before a suspect is loaded; torch-free."""

from typing import Any

SECONDS = 10.0


def hub_status(name: str) -> dict[str, Any] | None:
    """The security status of the repository `name`; None where the hub cannot be asked or does not say."""
    import huggingface_hub

    try:
        told = huggingface_hub.HfApi().model_info(name, securityStatus=True, timeout=SECONDS)
    except Exception:  # noqa: BLE001 - offline, unknown, gated: the hub's client has an exception for each
        return None
    return dict(told.security_repo_status) if told.security_repo_status else None
