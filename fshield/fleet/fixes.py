"""Explains Lambda's errors: one sentence and one fix for each."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

#: https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html and what single services add.
THROTTLED = frozenset(
    {
        "TooManyRequestsException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "LimitExceededException.Throttled",
    }
)
#: Codes that mean that the credentials do not work for any call.
KEYS = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "AuthFailure",
    }
)
CHANGED_MEANWHILE = "PreconditionFailedException"
BUSY = "ResourceConflictException"
DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})

#: The fix in commands that change something. A command that only reads has nothing to continue.
RUN_AGAIN = "run the command again: it goes on where it stopped"
#: The message about a missing function.
NO_FUNCTION = "there is no such function in this region and account"
#: Code, pattern of the message, what to print (None: the message itself), fix. The first match
#: counts.
_TABLE: tuple[tuple[str, str, str | None, str], ...] = (
    (
        "ResourceNotFoundException",
        r"(?i)function not found|arn:.*:function:",
        NO_FUNCTION,
        "look at the name, --region and --profile",
    ),
    (
        "ResourceNotFoundException",
        r"(?i)layer ?version",
        "a layer version is not there any more, or not shared with this account",
        "name one that is; a function keeps a deleted version only until its layers change",
    ),
    (
        "ResourceNotFoundException",
        r"(?i)alias",
        "there is no such alias",
        "aws lambda list-aliases shows them",
    ),
    (
        "ResourceNotFoundException",
        r"(?i)log ?group",
        "there is no such log group: the function never ran, or logs elsewhere",
        "look at the function's log group, --region and --profile",
    ),
    (
        "ResourceConflictException",
        r"",
        "another change to it is at work",
        "wait until that is done, and run the command again",
    ),
    ("PreconditionFailedException", r"", "another client keeps changing it", RUN_AGAIN),
    (
        "InvalidParameterValueException",
        r"4KB limit",
        "its environment would be more than 4 KB",
        "move some of it to Parameter Store, AppConfig or Secrets Manager",
    ),
    (
        "InvalidParameterValueException",
        r"(?i)layers.*(available|unzipped|size)|Unzipped size",
        "code and layers together would be more than 250 MB",
        "make the package or one of its layers smaller",
    ),
    (
        "InvalidParameterValueException",
        r"(?i)more than 5 layers|at most 5 layers",
        "it has five layers already",
        "merge two of its layers into one",
    ),
    (
        "InvalidParameterValueException",
        r"(?i)two different versions of the same layer",
        None,
        "remove the older version of the two",
    ),
    (
        "InvalidParameterValueException",
        r"(?i)runtime.*(no longer|not supported)|deprecated",
        None,
        "move the function to a runtime that AWS still supports",
    ),
    (
        "CodeVerificationFailedException",
        r"",
        "its code signing configuration does not take this layer",
        "sign the layer with a profile that the configuration lists",
    ),
    (
        "InvalidCodeSignatureException",
        r"",
        "its code signing configuration does not take this layer",
        "sign the layer with a profile that the configuration lists",
    ),
    (
        "KMSAccessDeniedException",
        r"",
        "its variables are encrypted with a key that may not be used",
        "permit kms:Decrypt and kms:Encrypt with it",
    ),
    ("ServiceException", r"", None, RUN_AGAIN),
    ("InternalFailure", r"", None, RUN_AGAIN),
)


def code_of(error: ClientError) -> str:
    """The error's code; for answers without one, the HTTP status."""
    return str(error.response.get("Error", {}).get("Code") or "")


def throttled(error: ClientError) -> bool:
    """Whether AWS throttles."""
    return (
        code_of(error) in THROTTLED
        or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 429
    )


def explained(error: ClientError) -> tuple[str, str]:
    """What is wrong, and the fix, each in one line."""
    code = code_of(error)
    message = " ".join(str(error.response.get("Error", {}).get("Message") or "").split())
    # A 4 KB error quotes the whole environment, secrets included.
    message = re.sub(r"String measured:.*", "", message)[:300]
    if throttled(error):
        return "AWS went on asking for fewer calls", f"lower --concurrency, or later: {RUN_AGAIN}"
    if code in KEYS:
        return (
            f"AWS does not take these credentials: {code}",
            "sign in again; `--profile` names another profile",
        )
    if code in DENIED:
        operation = getattr(error, "operation_name", "")
        return (
            f"not permitted: {message or operation}",
            "`fshield iam-policy COMMAND` prints what the command needs",
        )
    for known, pattern, sentence, fix in _TABLE:
        if code == known and re.search(pattern, message):
            return sentence or message, fix
    return f"{message or 'no answer'} ({code})", (
        RUN_AGAIN if not code or code.startswith("5") else "fix that, and run the command again"
    )
