"""What each scope's rows hold: the reference of the analytics is generated from here, and a test holds it against what
the transforms make of an example of every event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Origin = Literal["CVAT", "Annals"]


@dataclass(frozen=True)
class Scope:
    """`events`: the types of the events that give such rows. A text for each column that is filled beside those of
    every row. `payload`: keys beside `request`. `origin`: whose scope it is.
    """

    name: str
    meaning: str
    events: tuple[str, ...]
    obj_name: str = ""
    obj_id: str = ""
    obj_val: str = ""
    count: str = ""
    payload: tuple[str, ...] = ()
    origin: Origin = "CVAT"


FIELD, RELATED, VALUE = "the field", "whom or what it leads to, if it is a relation", "the new value"
SERVER, CLIENT = "ServerEventsReported", "ClientEventsReported"
STANDING = ("stage", "state")


def _updates(noun: str, *events: str, payload: tuple[str, ...] = ()) -> Scope:
    keys = (*payload, "old_value")
    return Scope(f"update:{noun}", "A field changed: one row for each", events, FIELD, RELATED, VALUE, payload=keys)


def _comings(noun: str, event: str, named: bool, payload: tuple[str, ...]) -> Scope:
    return Scope(
        f"create:{noun}", "It came into being", (event,), "its name" if named else "", "its id", payload=payload
    )


def _goings(noun: str, *events: str, named: bool = True, payload: tuple[str, ...] = ()) -> Scope:
    return Scope(f"delete:{noun}", "It was deleted", events, "its name" if named else "", "its id", payload=payload)


def _returns(noun: str, *events: str, named: bool = True, payload: tuple[str, ...] = ()) -> Scope:
    name = "its name" if named else ""
    return Scope(f"restore:{noun}", "It came back", events, name, "its id", payload=payload, origin="Annals")


def _drawing() -> Iterator[Scope]:
    changes = ("AnnotationsChanged", "AnnotationsRestored")
    for kind in ("tags", "shapes", "tracks", "intervals"):
        name = "the shape type" if kind in ("shapes", "tracks") else ""
        told = (kind, "label_ids", "frames")
        for verb, meaning, events, payload in (
            ("create", "Objects came", (*changes, "AnnotationsReplaced"), told),
            ("update", "Objects were redrawn", changes, told),
            ("delete", "Objects went; without ids where a job with very many was cleared",
             (*changes, "AnnotationsReplaced", "AnnotationsCleared"), (kind,)),
        ):  # fmt: skip
            origin: Origin = "Annals" if kind == "intervals" else "CVAT"
            yield Scope(f"{verb}:{kind}", meaning, events, name, count="objects", payload=payload, origin=origin)


def _requests() -> Iterator[Scope]:
    asked = ("queue", "action", "target", "subresource", "owner_id", "owner", "params")
    for verb, meaning, event, payload in (
        ("queue", "Work was asked for", "RequestQueued", asked),
        ("start", "An agent took it up", "RequestStarted", ("agent", "attempt")),
        ("expire", "Its agent was lost; it waits again", "LeaseExpired", ("agent", "last_beat")),
        ("finish", "It is done", "RequestFinished", ("result",)),
        ("fail", "It could not be done", "RequestFailed", ("message",)),
        ("cancel", "It was called off", "RequestCancelled", ()),
    ):
        yield Scope(f"{verb}:request", meaning, (event,), "the request's id", payload=payload, origin="Annals")


def _data() -> Iterator[Scope]:
    upload = (
        "size", "image_quality", "chunk_size", "start_frame", "stop_frame", "frame_filter", "sorting_method",
        "media_type", "mode", "dimension",
    )  # fmt: skip
    for name, meaning, event, obj_id, count, payload in (
        ("start:upload", "A client began to send files", "UploadStarted", "the task", "", ()),
        ("upload:files", "Files came in", "FilesReceived", "", "files", ("files", "size")),
        ("upload:data", "A task has its data", "DataUploaded", "the task", "frames", upload),
        ("create:frames", "Frames came to a task", "FramesAdded", "", "frames", ("first", "frames", "size")),
        ("create:video", "A video came to a task", "VideoAdded", "", "frames of the whole video",
         ("width", "height", "frame_count", "size")),
        ("create:related_images", "Pictures came beside frames", "RelatedImagesAdded", "", "images",
         ("images", "size")),
        ("delete:frames", "Frames are not to be annotated", "FramesDeleted", "", "frames", ("frames",)),
        ("restore:frames", "Frames are to be annotated again", "FramesRestored", "", "frames", ("frames",)),
        ("split:jobs", "A task was cut into jobs", "JobsSplit", "", "jobs",
         ("segment_size", "overlap", "job_count")),
        ("place:honeypots", "Frames show pictures of the ground truth", "HoneypotsPlaced", "", "honeypots",
         ("honeypots",)),
        ("disable:validation_frames", "Ground truth frames no longer count", "ValidationFramesDisabled", "", "frames",
         ("frames",)),
    ):  # fmt: skip
        yield Scope(name, meaning, (event,), obj_id=obj_id, count=count, payload=payload, origin="Annals")
    validation = ("mode", "frames_per_job_count", "frames")
    yield Scope(
        "create:validation", "Work on a task is checked", ("ValidationSetUp",), "`mode`", obj_val="the mode",
        count="frames", payload=validation, origin="Annals",
    )  # fmt: skip


def _users() -> Iterator[Scope]:
    profile = (
        "first_name", "last_name", "email", "groups", "is_staff", "is_superuser", "is_active", "has_analytics_access",
    )  # fmt: skip
    changes = (
        "UserProfileChanged", "UserRoleChanged", "UserDeactivated", "UserReactivated", "UserPasswordChanged",
    )  # fmt: skip
    yield Scope(
        "create:user", "Somebody got an account", ("UserRegistered",), "the username", "its id", payload=profile
    )
    yield _updates("user", *changes, payload=("user_id",))
    yield Scope("delete:user", "An account was closed", ("UserDeleted",), "the username", "its id")
    login = ("login_id", "expires")
    yield Scope("login:user", "A login began", ("UserLoggedIn",), obj_id="the user", payload=login, origin="Annals")
    ended = ("login_id",)
    yield Scope("logout:user", "A login ended", ("UserLoggedOut",), obj_id="the user", payload=ended, origin="Annals")
    token = ("name", "expiry_date", "read_only", "owner")
    yield _comings("accesstoken", "AccessTokenCreated", False, token)
    yield _updates("accesstoken", "AccessTokenChanged", payload=("token_id",))
    yield Scope("use:accesstoken", "A token was used; one row a day", ("AccessTokenUsed",), obj_id="its id",
                origin="Annals")  # fmt: skip
    yield _goings("accesstoken", "AccessTokenRevoked", "UserDeleted", named=False, payload=("name",))


def _nouns() -> Iterator[Scope]:
    owned = (
        "owner", "assignee", "bug_tracker", "organization", "organization_id", "target_storage", "source_storage",
    )  # fmt: skip
    yield _comings("project", "ProjectCreated", True, owned)
    yield _updates("project", "ProjectChanged")
    yield _goings("project", "ProjectDeleted")
    yield _returns("project", "ProjectRestored")
    task = (
        "project_id", "mode", *owned, "overlap", "segment_size", "status", "dimension", "subset", "consensus_enabled",
        "initial_replicas",
    )  # fmt: skip
    yield _comings("task", "TaskCreated", True, task)
    yield _updates("task", "TaskChanged", "TaskMoved", "DataUploaded", payload=("labels",))
    yield _goings("task", "TaskDeleted")
    yield _returns("task", "TaskRestored")
    yield Scope("purge:task", "Its data were removed for good", ("TaskPurged",), "its name", "its id", origin="Annals")
    job = (
        "task_id", "project_id", "assignee", "status", *STANDING, "frame_count", "start_frame", "stop_frame", "type",
        "parent_job_id", "assignee_id",
    )  # fmt: skip
    yield _comings("job", "JobCreated", False, job)
    yield _updates("job", "JobAssigned", "JobStateChanged", payload=STANDING)
    yield _goings("job", "JobDeleted", "TaskDeleted", named=False, payload=STANDING)
    yield _returns("job", "JobRestored", "TaskRestored", named=False, payload=STANDING)
    label = ("color", "attributes", "type", "svg", "has_parent", "parent_id", "project_id", "task_id")
    yield _comings("label", "LabelsAdded", True, label)
    yield _updates("label", "LabelChanged", payload=("label",))
    yield _goings("label", "LabelDeleted", "ProjectDeleted", "TaskDeleted")
    yield _returns("label", "LabelRestored", "ProjectRestored", "TaskRestored")
    issue = ("frame", "position", "job", "owner", "assignee", "resolved")
    yield _comings("issue", "IssueOpened", False, issue)
    yield _updates("issue", "IssueChanged", "IssueResolved", "IssueReopened", payload=("issue",))
    with_job, back_with_job = ("JobDeleted", "TaskDeleted"), ("JobRestored", "TaskRestored")
    yield _goings("issue", "IssueDeleted", *with_job, named=False)
    yield _returns("issue", *back_with_job, named=False)
    commented = ("issue", "owner")
    yield Scope("create:comment", "Somebody said something", ("CommentAdded",), "the comment", "its id",
                payload=commented)  # fmt: skip
    yield _updates("comment", "CommentEdited", payload=("comment",))
    yield Scope("delete:comment", "It was deleted", ("CommentDeleted", "IssueDeleted", *with_job), "the comment",
                "its id")  # fmt: skip
    yield Scope("restore:comment", "It came back", back_with_job, "the comment", "its id", origin="Annals")


def _happenings() -> Iterator[Scope]:
    yield Scope("export:dataset", "An export was asked for", ("RequestQueued",),
                payload=("format", "save_images", "cloud_storage"))  # fmt: skip
    yield Scope("import:dataset", "An import was asked for", ("RequestQueued",), payload=("format", "cloud_storage"))
    yield Scope(
        "send:exception", "Something went wrong: in a client, in the API, or in an agent's work",
        (CLIENT, SERVER, "RequestFailed"), "the request's id, when an agent's work failed", count="how often",
        payload=("message", "stack", "basename", "action", "status_code"),
    )  # fmt: skip
    yield Scope("send:working_time", "Time was worked; `duration` has it, too", (CLIENT,), count="1",
                payload=("working_time",))  # fmt: skip
    for verb, meaning in (("create", "written to"), ("read", "read from")):
        yield Scope(f"{verb}:cache_item", f"A chunk was {meaning} the cache", (SERVER,), count="chunks",
                    payload=("cache_item", "queue"))  # fmt: skip
    yield Scope("record:event", "An event that changed nothing that has a scope", ("AnnotationsChanged",),
                "the event's type", origin="Annals")  # fmt: skip


SCOPES = tuple(
    sorted((*_nouns(), *_users(), *_data(), *_requests(), *_drawing(), *_happenings()), key=lambda s: s.name)
)
"""Beside these, clients send scopes of their own, which stand as they are."""
