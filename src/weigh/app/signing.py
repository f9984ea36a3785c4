"""Signatures over a folder's files, as OpenSSF's model-signing makes and reads them; keys are files in PEM."""

from __future__ import annotations

from collections.abc import Callable

from weigh.core.errors import SourceError

Step = Callable[[str, str], None]  # of a folder, and the file of its signature


def signer(private_key: str) -> Step:
    """Writes a signature. Raises SourceError."""
    try:
        from model_signing import hashing, signing
    except ImportError as error:
        raise SourceError("signing.missing") from error

    def sign(folder: str, signature: str) -> None:
        try:
            hashed = hashing.Config().set_allow_symlinks(True)  # type: ignore[no-untyped-call]
            config = signing.Config().set_hashing_config(hashed)  # type: ignore[no-untyped-call]
            config.use_elliptic_key_signer(private_key=private_key).sign(folder, signature)
        except (ValueError, TypeError, OSError) as error:
            raise SourceError("signing.cannot_sign", path=private_key, reason=str(error)) from error

    return sign


def verifier(public_key: str) -> Step:
    """Reads a signature and every file. Raises SourceError for one that does not hold."""
    try:
        from model_signing import verifying
    except ImportError as error:
        raise SourceError("signing.missing") from error

    def verify(folder: str, signature: str) -> None:
        try:
            config = verifying.Config()  # type: ignore[no-untyped-call]
            config.use_elliptic_key_verifier(public_key=public_key).verify(folder, signature)
        except (
            Exception
        ) as error:  # the library raises what its parts raise; whatever it is, the signature does not hold
            raise SourceError("signing.does_not_hold", path=signature, reason=str(error)[:200]) from error

    return verify
