"""A signature over a model's files in the form of OpenSSF model signing: made by its library, read by its own rules.

The bundle holds a DSSE envelope (https://github.com/secure-systems-lab/dsse) around an in-toto statement, whose
predicate `https://model_signing/signature/v1.0` names each file with its hash.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

import msgspec

from weigh.core.errors import BadReference, Malformed, SourceError
from weigh.store.compare import Said, Witness

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

NAME = "model.sig"
EXTRA = "'weigh[sign]'"
MOST = 64 << 20
_BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_PAYLOAD = "application/vnd.in-toto+json"
_LEFT_OUT = (".cache", ".git", ".gitattributes", ".github", ".gitignore", ".lock", ".mdl", ".msc", ".mv", ".weigh")


class _Signed(msgspec.Struct):
    sig: str


class _Envelope(msgspec.Struct):
    payload: str
    payloadType: str
    signatures: list[_Signed]


class _Key(msgspec.Struct):
    hint: str | None = None


class _Material(msgspec.Struct):
    publicKey: _Key | None = None


class _Bundle(msgspec.Struct):
    mediaType: str
    verificationMaterial: _Material
    dsseEnvelope: _Envelope


class _Resource(msgspec.Struct):
    name: str
    algorithm: str
    digest: str


class _Serialization(msgspec.Struct):
    method: str
    hash_type: str
    ignore_paths: list[str] = []


class _Predicate(msgspec.Struct):
    serialization: _Serialization
    resources: list[_Resource]


class _Subject(msgspec.Struct):
    digest: dict[str, str]


class _Statement(msgspec.Struct):
    type: Literal["https://in-toto.io/Statement/v1"] = msgspec.field(name="_type")
    predicateType: Literal["https://model_signing/signature/v1.0"]
    subject: list[_Subject]
    predicate: _Predicate


def signed_files(path: str, public_key: str) -> Witness:
    """What the holder of the private key has signed. Raises SourceError where it was not they, or where it cannot be
    told; Malformed for what is no such signature; BadReference without the library.
    """
    bundle = _bundle(path)
    key = _public_key(public_key)
    payload = _signed_bytes(bundle, key, path)
    try:
        statement = msgspec.json.decode(payload, type=_Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("signature.statement", path=path, problem=str(error)) from error
    said = statement.predicate
    how = said.serialization
    if (how.method, how.hash_type) != ("files", "sha256") or any(one.algorithm != "sha256" for one in said.resources):
        raise SourceError("signature.method", path=path, method=f"{how.method}, {how.hash_type}")
    _check_root(statement, path)
    files = {one.name: Said(sha256=one.digest.lower()) for one in said.resources}
    return Witness("signature", path, files, demands=True, ignored=tuple(one.rstrip("/") for one in how.ignore_paths))


def sign(folder: str, signature: str, private_key: str, *, links: bool, ignored: tuple[str, ...]) -> None:
    """Write a signature over a folder's files; `links` are followed, `ignored` paths left out. Raises WeighError."""
    try:
        from model_signing.hashing import Config as Hashing
        from model_signing.signing import Config as Signing
    except ImportError as error:
        raise BadReference("signature.library", extra=EXTRA) from error
    how = Hashing()  # type: ignore[no-untyped-call]
    how.set_allow_symlinks(links).set_ignored_paths(paths=[*_LEFT_OUT, *ignored])
    try:
        signer = Signing()  # type: ignore[no-untyped-call]
        signer.use_elliptic_key_signer(private_key=private_key)
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise SourceError("signature.private_key", path=private_key, reason=_reason(error)) from error
    try:
        signer.set_hashing_config(how).sign(folder, signature)
    except (OSError, ValueError) as error:
        raise SourceError("signature.not_signed", path=folder, reason=_reason(error)) from error


def _bundle(path: str) -> _Bundle:
    try:
        with open(path, "rb") as file:
            data = file.read(MOST)
    except OSError as error:
        raise SourceError("cannot_read", path=path, reason=error.strerror or str(error)) from error
    try:
        bundle = msgspec.json.decode(data, type=_Bundle)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("signature.bundle", path=path, problem=str(error)) from error
    envelope = bundle.dsseEnvelope
    if (bundle.mediaType, envelope.payloadType) != (_BUNDLE, _PAYLOAD) or len(envelope.signatures) != 1:
        raise Malformed("signature.bundle", path=path, problem=bundle.mediaType)
    if bundle.verificationMaterial.publicKey is None:
        raise SourceError("signature.kind", path=path)
    return bundle


def _public_key(path: str) -> EllipticCurvePublicKey:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise BadReference("signature.library", extra=EXTRA) from error
    try:
        with open(path, "rb") as file:
            key = load_pem_public_key(file.read(1 << 16))
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise SourceError("signature.public_key", path=path, reason=_reason(error)) from error
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.key_size not in (256, 384, 521):
        raise SourceError("signature.public_key", path=path, reason=type(key).__name__)
    return key


def _signed_bytes(bundle: _Bundle, key: EllipticCurvePublicKey, path: str) -> bytes:
    """The payload, once the signature over it holds."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    algorithm = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[key.curve.key_size]
    envelope = bundle.dsseEnvelope
    try:
        payload = base64.b64decode(envelope.payload, validate=True)
        signature = base64.b64decode(envelope.signatures[0].sig, validate=True)
    except binascii.Error as error:
        raise Malformed("signature.bundle", path=path, problem=str(error)) from error
    material = bundle.verificationMaterial.publicKey
    if material is not None and material.hint and material.hint != _hint(key):
        raise SourceError("signature.other_key", path=path)
    try:
        key.verify(signature, _envelope_text(payload), ECDSA(algorithm))
    except InvalidSignature as error:
        raise SourceError("signature.invalid", path=path) from error
    return payload


def _envelope_text(payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding, protocol 1.0.0."""
    return b"DSSEv1 %d %s %d %s" % (len(_PAYLOAD), _PAYLOAD.encode("ascii"), len(payload), payload)


def _hint(key: EllipticCurvePublicKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _check_root(statement: _Statement, path: str) -> None:
    """The subject's hash is that of all files' hashes, one after another."""
    try:
        whole = b"".join(bytes.fromhex(one.digest) for one in statement.predicate.resources)
    except ValueError as error:
        raise Malformed("signature.statement", path=path, problem=str(error)) from error
    if [one.digest.get("sha256") for one in statement.subject] != [sha256(whole).hexdigest()]:
        raise Malformed("signature.statement", path=path, problem="subject")


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).splitlines()[0]
