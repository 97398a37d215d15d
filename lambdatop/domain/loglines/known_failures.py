"""Recognize known failures in a log line. Pure, linear in a bounded part of the line.

A line is looked at by plain substrings in lower case, never by a pattern that could backtrack: the first
HEAD characters (where runtimes write the error) and the last TAIL (where a traceback ends in it). Wordings
come from the runtimes themselves: strerror texts are the same in every language, Lambda's own error types
and messages are AWS's, throttle codes are those that the SDK retries (botocore's standard retry mode).
"""

from __future__ import annotations

import re

from lambdatop.domain.loglines.tokens import Report

HEAD = 1024
TAIL = 512
STAMP = r"\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?\]?"
TIMED_OUT = re.compile(
    rf"(?:{STAMP} (\S{{1,40}}) )?Task timed out after \d{{1,5}}\.\d\d seconds\s*$", re.IGNORECASE
)
"""The platform's own line (old style), with its request id; who quotes it writes something else before it."""
OOM_SHARE = 0.99
"""Used memory from which on a report without success counts as out of memory: often 1-2 MB are left."""

SIGNATURES = (
    "timeout",
    "out_of_memory",
    "exit",
    "init_failure",
    "too_many_files",
    "too_many_threads",
    "disk_full",
    "payload_too_large",
    "package_too_large",
    "environment_too_large",
    "reserved_concurrency_used_up",
    "concurrency_used_up",
    "reserved_request_rate_exceeded",
    "request_rate_exceeded",
    "caller_rate_exceeded",
    "snapshot_creation_limit",
    "lambda_throttled",
    "api_throttled",
    "logs_dropped",
    "connection_exhausted",
)
"""Every value of `classify` besides ""."""

# (needle, signature), in order of preference: a cause stands before the exit that it leads to. Short
# symbols that may be part of a longer word are looked at again by _WORD.
_NEEDLES: tuple[tuple[str, str], ...] = (
    ("task timed out after ", "timeout"),
    ("start new thread", "too_many_threads"),  # Python: can't start new thread
    ("create new native thread", "too_many_threads"),  # Java 8, inside an OutOfMemoryError
    ("create native thread", "too_many_threads"),
    ("create new os thread", "too_many_threads"),  # Go
    ("eagain", "too_many_threads"),
    ("resource temporarily unavailable", "too_many_threads"),
    ("signal: killed", "out_of_memory"),
    ("outofmemory", "out_of_memory"),  # Runtime.OutOfMemory, java.lang.OutOfMemoryError, .NET's exception
    ("memoryerror", "out_of_memory"),  # Python; Ruby: NoMemoryError
    ("java heap space", "out_of_memory"),
    ("heap out of memory", "out_of_memory"),  # Node
    ("cannot allocate memory", "out_of_memory"),  # strerror(ENOMEM)
    ("errno 12]", "out_of_memory"),
    ("enomem", "out_of_memory"),
    ("memory allocation of ", "out_of_memory"),  # Rust
    ("allowed memory size of ", "out_of_memory"),  # PHP
    ("bad_alloc", "out_of_memory"),  # C++
    ("fatal:memory", "out_of_memory"),  # Chromium
    ("runtime: out of memory", "out_of_memory"),  # Go
    ("failed to allocate memory", "out_of_memory"),  # Ruby
    ("array buffer allocation failed", "out_of_memory"),  # Node
    ("process out of memory", "out_of_memory"),  # V8, outside of its heap
    ("fatal error: out of memory", "out_of_memory"),  # Go
    ("outofdirectmemory", "out_of_memory"),  # netty
    ("out of memory (allocated ", "out_of_memory"),  # PHP
    ("insufficient memory for the java runtime", "out_of_memory"),
    ("os::commit_memory(", "out_of_memory"),  # the JVM
    ("0x8007000e", "out_of_memory"),  # E_OUTOFMEMORY, when .NET's runtime starts
    ("too many open files", "too_many_files"),
    ("emfile", "too_many_files"),
    ("errno 24]", "too_many_files"),
    ("no space left on device", "disk_full"),
    ("enospc", "disk_full"),
    ("errno 28]", "disk_full"),
    ("database or disk is full", "disk_full"),  # SQLite
    ("requestentitytoolarge", "payload_too_large"),
    ("responsesizetoolarge", "payload_too_large"),
    ("exceeded maximum allowed payload size", "payload_too_large"),
    ("request must be smaller than", "payload_too_large"),
    ("payload is too large", "payload_too_large"),
    ("payload too large", "payload_too_large"),
    ("request entity too large", "payload_too_large"),
    ("413", "payload_too_large"),
    ("262144000", "package_too_large"),  # the 250 MB of a package in AWS's refusals
    ("environment variables you have provided exceeded", "environment_too_large"),
    # Reason of Lambda's TooManyRequestsException (ThrottleReason in the model of Invoke): which limit it was.
    ("reservedfunctionconcurrentinvocationlimitexceeded", "reserved_concurrency_used_up"),
    ("concurrentinvocationlimitexceeded", "concurrency_used_up"),
    ("reservedfunctioninvocationratelimitexceeded", "reserved_request_rate_exceeded"),
    ("functioninvocationratelimitexceeded", "request_rate_exceeded"),
    ("callerratelimitexceeded", "caller_rate_exceeded"),
    ("snapshotcreatelimitexceeded", "snapshot_creation_limit"),
    ("invocationlimitexceeded", "lambda_throttled"),
    ("invocationratelimitexceeded", "lambda_throttled"),
    ("toomanyrequestsexception", "api_throttled"),
    ("throttlingexception", "api_throttled"),
    ("throttledexception", "api_throttled"),
    ("requestthrottled", "api_throttled"),
    ("provisionedthroughputexceeded", "api_throttled"),
    ("requestlimitexceeded", "api_throttled"),
    ("bandwidthlimitexceeded", "api_throttled"),
    ("ec2throttledexception", "api_throttled"),
    ("(throttling)", "api_throttled"),
    ("slowdown", "api_throttled"),  # S3
    ("request is throttled", "api_throttled"),  # what SQS says with RequestThrottled
    ("rate exceeded", "api_throttled"),
    ("too many connections", "connection_exhausted"),  # MySQL
    ("remaining connection slots", "connection_exhausted"),  # PostgreSQL
    ("too many clients", "connection_exhausted"),  # PostgreSQL
    ("max_user_connections", "connection_exhausted"),  # MySQL
    ("max number of clients reached", "connection_exhausted"),  # Redis
    ("timed-out waiting to acquire database connection", "connection_exhausted"),  # RDS Proxy
    ("queuepool limit of size", "connection_exhausted"),  # SQLAlchemy
    ("hikaripool", "connection_exhausted"),
    ("the pool is probably full", "connection_exhausted"),  # Knex
    ("obtaining a connection from the pool", "connection_exhausted"),  # SqlClient
    ("could not obtain a connection from the pool", "connection_exhausted"),  # ActiveRecord
    ("exclusive", "connection_exhausted"),
    ("fetching a new connection from the", "connection_exhausted"),  # Prisma's pool
    ("platform.logsdropped", "logs_dropped"),
    ("runtime.importmoduleerror", "init_failure"),
    ("runtime.usercodesyntaxerror", "init_failure"),
    ("runtime.handlernotfound", "init_failure"),
    ("runtime.malformed", "init_failure"),  # HandlerName, StreamingHandler
    ("extension.initerror", "init_failure"),
    ("error loading class ", "init_failure"),  # Java
    ("error loading method ", "init_failure"),
    ("class not found: ", "init_failure"),
    ("no public method named ", "init_failure"),
    ("init error when loading handler", "init_failure"),  # Ruby
    ("init<", "init_failure"),  # Ruby's error types while it loads the handler
    ("unable to import module", "init_failure"),  # Python and Node of old
    ("module initialization error", "init_failure"),
    ("failed to initialize coreclr", "init_failure"),  # .NET
    ("lambdavalidationexception", "init_failure"),
    ("the function failed to start", "init_failure"),  # Bref for PHP
    ("runtime exited", "exit"),
    ("runtime.exiterror", "exit"),
    ("runtime.unknown", "exit"),
    ("runtime.invalidentrypoint", "exit"),
    ("extension.crash", "exit"),
    ("extension.launcherror", "exit"),
    ("unknown application error occurred", "exit"),
    ("handler function resulted in a panic", "exit"),  # Go
)

# One of these stands in every needle, so most lines are done with after a few searches.
_STEMS = (
    "too",
    "exceed",
    "memory",
    "runtime",
    "thread",
    "throttl",
    "exclusive",
    "space left",
    "timed",
    "signal",
    "unavailable",
    "emfile",
    "enospc",
    "eagain",
    "errno",
    "smaller than",
    "413",
    "262144000",
    "slots",
    "logsdropped",
    "extension.",
    "application error",
    "enomem",
    "heap space",
    "bad_alloc",
    "error loading",
    "class not found",
    "init error",
    "init<",
    "import module",
    "initialization error",
    "public method",
    "initialize coreclr",
    "function failed to",
    "lambdavalidation",
    "resulted in a panic",
    "new connection",
    "pool",
    "max_user",
    "number of clients",
    "disk is full",
    "slowdown",
    "allocation failed",
    "0x8007000e",
)

_WORD = {
    "eagain": re.compile(r"\beagain\b"),
    "emfile": re.compile(r"\bemfile\b"),
    "enospc": re.compile(r"\benospc\b"),
    "413": re.compile(
        r"\b(?:http|http.[\d.]{1,3}|status|(?:status|response|error|http)[ _-]?code)\b[\"':= ]{1,4}413\b"
        r"|\bcode[\"':=][\"':= ]{0,3}413\b"
    ),
    "rate exceeded": re.compile(r"(?<![a-z] )\brate exceeded(?: for (?:shard|operation)\b|(?! [a-z0-9]))"),
    "outofmemory": re.compile(r"(?<![a-z])outofmemory(?:error|exception)?\b"),  # not a flag of the JVM
    "enomem": re.compile(r"\benomem\b"),
    "memoryerror": re.compile(r"\b(?:no|_array|arrow)?memoryerror\b"),
    "slowdown": re.compile(r"(?:\(|\bcode\W{1,4})slowdown\b"),
}
NEEDLES = tuple(
    word.pattern
    if (word := _WORD.get(needle)) and "(?<" not in word.pattern and "(?!" not in word.pattern
    else re.escape(needle).replace("\\ ", " ")
    for needle, _ in _NEEDLES
)
"""Patterns for RE2, in lower case, without a slash: every text with a known failure matches one of them."""
_STARTS_PROCESS = re.compile(
    r"fork|spawn|popen|threaderror|thread_(?:init|create)"
    r"|\b(?:create|creating|start|starting|new) [\w ]{0,16}thread"
)
_LOCKS = re.compile(r"\b(?:flock|lockf|fcntl)\b")
_REFUSES = re.compile(
    r"\b(?:refused|held by|in use|locked|denied|already (?:held|open|owned)|cannot obtain|busy|taken)\b"
)
_HOLDS = ("connection", "lock", "lease", "session", "access")
_OF_LAMBDA = ("invoke", "service: awslambda", "service: lambda,", "services.lambda.")
"""What an SDK says of Lambda beside a throttle (Java's two name the service)."""
_EXITS = (
    "Runtime.ExitError",
    "Runtime.Unknown",
    "Runtime.InvalidEntrypoint",
    "Extension.Crash",
    "Extension.LaunchError",
)
_INIT_ERRORS = (
    "Runtime.ImportModuleError",
    "Runtime.UserCodeSyntaxError",
    "Runtime.HandlerNotFound",
    "Runtime.MalformedHandlerName",
    "Extension.InitError",
)
_INIT_TYPE = re.compile(r'"type":\s?"platform\.(?:init|restore)')
_TIMEOUTS = ("timeout", "Sandbox.Timedout")


def classify(text: str, report: Report | None = None) -> str:
    """Return the known failure that a line shows, one of SIGNATURES, "" for none.

    `report` are the numbers of a REPORT, INIT_REPORT, RESTORE_REPORT or platform.* line; where there is one,
    only its status, error type and memory count.
    """
    if report is not None:
        return _by_report(text, report)
    low = text.lower() if len(text) <= HEAD + TAIL else f"{text[:HEAD]}\n{text[-TAIL:]}".lower()
    for stem in _STEMS:
        if stem in low:
            return _by_words(low)
    return ""


def of_level(text: str, level: str) -> str:
    """Return the signature of a program's line of this level, "" where the level says no failure.

    Debug output alone is none, nor is information, unless it holds an exception with its trace: a retry, the
    answer to a client. A process that runs out of memory does not say so as a warning: whoever warns of it
    quotes somebody else. A timeout counts only from the platform.
    """
    if level in ("debug", "trace") or (level == "info" and "\n" not in text):
        return ""
    found = classify(text)
    if found == "timeout" or (found == "out_of_memory" and level in ("info", "warn")):
        return ""
    return "" if level == "info" and "Exception" not in text and "Error" not in text else found


def extension_failure(state: str) -> str:
    """Return the failure that the state of an extension tells; "" for one that is well."""
    if state == "InitError":
        return "init_failure"
    return "exit" if state.endswith(("Error", "Failed", "Crash")) else ""


def _by_words(low: str) -> str:
    for needle, signature in _NEEDLES:
        if needle in low and (found := _sure(needle, signature, low)):
            return found
    return ""


def _by_report(text: str, report: Report) -> str:
    status, error_type = report.status, report.error_type
    if not error_type and status in ("", "success"):
        return ""
    init = text.startswith(("INIT_", "RESTORE_")) or _INIT_TYPE.search(text, 0, 300) is not None
    if status in _TIMEOUTS or error_type in _TIMEOUTS:
        # Without memory a program becomes slow before it ends: all of it used is the cause of the timeout.
        return "init_failure" if init else "out_of_memory" if _full(report, 1.0) else "timeout"
    if error_type == "Runtime.OutOfMemory" or _full(report, OOM_SHARE):
        return "out_of_memory"
    if error_type == "Function.ResponseSizeTooLarge":
        return "payload_too_large"
    if init or error_type in _INIT_ERRORS:
        return "init_failure"
    return "exit" if error_type in _EXITS else ""


def _full(report: Report, share: float) -> bool:
    used, size = report.max_memory_mb, report.memory_mb
    return used is not None and bool(size) and used >= share * (size or 0.0)


def _sure(needle: str, signature: str, low: str) -> str:
    """Return the signature after a check of the text around the needle, "" when it means something else."""
    word = _WORD.get(needle)
    if word is not None and not word.search(low):
        return ""
    if signature == "timeout" and not TIMED_OUT.match(low):
        return ""
    if needle in ("eagain", "resource temporarily unavailable"):
        # A file lock or a socket says the same; only what starts a process or a thread hits the limit.
        return signature if _STARTS_PROCESS.search(low) and not _LOCKS.search(low) else ""
    if needle == "signal: killed" and "runtime exited" not in low:
        # A child may also be killed at its deadline; what its REPORT says decides (log_analysis/digest.py).
        return ""
    if needle == "memory allocation of " and "bytes failed" not in low:
        return ""
    if needle == "allowed memory size of " and "exhausted" not in low:
        return ""
    if needle == "class not found: " and "classnotfoundexception" not in low:
        return ""
    if needle == "no public method named " and "signature found on class" not in low:
        return ""
    if needle == "enospc" and "file watchers" in low:
        return ""
    if needle == "request must be smaller than" and "functioncode" in low:
        return "package_too_large"
    if needle == "262144000" and "size" not in low:
        return ""
    if needle == "toomanyrequestsexception" and any(word in low for word in _OF_LAMBDA):
        return "lambda_throttled"
    if needle == "os::commit_memory(" and "errno=12" not in low:
        return ""
    if needle == "hikaripool" and "connection is not available" not in low:
        return ""
    if needle == "exclusive":
        return signature if _REFUSES.search(low) and any(w in low for w in _HOLDS) else ""
    return signature
