"""One event body of each type, with every field filled in: what the golden files of today's versions hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from domain.event import Body
from domain.events.access_token import (
    AccessTokenChanged,
    AccessTokenCreated,
    AccessTokenRevoked,
    AccessTokenUsed,
    NamedToken,
)
from domain.events.annotations import (
    AnnotationsChanged,
    AnnotationsCleared,
    AnnotationsReplaced,
    AnnotationsRestored,
    TrackChange,
)
from domain.events.data import (
    DataUploaded,
    FilesReceived,
    Frame,
    FramesAdded,
    FramesDeleted,
    FramesRestored,
    JobsSplit,
    ReceivedFile,
    RelatedImage,
    RelatedImagesAdded,
    UploadStarted,
    VideoAdded,
)
from domain.events.issue import (
    CommentAdded,
    CommentDeleted,
    CommentEdited,
    DeletedComment,
    GoneIssue,
    IssueChanged,
    IssueDeleted,
    IssueOpened,
    IssueReopened,
    IssueResolved,
)
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged
from domain.events.label import (
    AttributeSpec,
    LabelChanged,
    LabelDeleted,
    LabelRestored,
    LabelsAdded,
    LabelSpec,
    NamedLabel,
)
from domain.events.project import ProjectChanged, ProjectCreated, ProjectDeleted, ProjectRestored
from domain.events.request import (
    LeaseExpired,
    RequestCancelled,
    RequestFailed,
    RequestFinished,
    RequestQueued,
    RequestStarted,
)
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskMoved, TaskPurged, TaskRestored
from domain.events.telemetry import ClientEventsReported, ServerEventsReported
from domain.events.user import (
    UserDeactivated,
    UserDeleted,
    UserLoggedIn,
    UserLoggedOut,
    UserPasswordChanged,
    UserProfileChanged,
    UserReactivated,
    UserRegistered,
    UserRoleChanged,
)
from domain.events.validation import Honeypot, HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp

TIME = datetime(2026, 11, 20, 12, 30, 15, 123456, tzinfo=UTC)
CREATION = "action=create&target=task&target_id=7"
ISSUE: dict[str, Any] = {"issue_id": 9, "job_id": 11, "task_id": 7, "project_id": 2}
STORAGE = {"location": "local", "cloud_storage_id": None}
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
PICTURE = Frame(name="cät.jpg", sha256=SHA256, size=123_456, width=640, height=480)

AGE = AttributeSpec(
    id=3, name="age", mutable=True, input_type="select", default_value="young", values=["young", "old", "Ålder"]
)
HEAD = LabelSpec(id=6, name="head", color="#e64848", type="points", attributes=[])
POINT = NamedLabel(id=6, name="head")
GONE_ISSUE = GoneIssue(id=9, job_id=11, comments=[DeletedComment(id=4, message="Is this a cät?")])
CAT = LabelSpec(
    id=5,
    name="cat",
    color="#39e6a2",
    type="skeleton",
    attributes=[AGE],
    sublabels=[HEAD],
    svg='<circle r="1.5" data-label-id="6"/>',
)

TAG = {"id": 1001, "frame": 0, "label_id": 5, "group": 0, "source": "manual", "attributes": []}
RECTANGLE = TAG | {
    "id": 1002,
    "type": "rectangle",
    "points": [10.5, 20, 30.25, 40],
    "occluded": False,
    "outside": False,
    "z_order": 0,
    "rotation": 15.5,
    "score": 1.0,
    "attributes": [{"spec_id": 3, "value": "old"}],
    "elements": [],
}
TRACK = TAG | {
    "id": 1003,
    "shapes": [
        {
            "id": 1004,
            "frame": 0,
            "type": "polygon",
            "points": [0, 0, 10, 0, 10, 10.5],
            "occluded": True,
            "outside": False,
            "z_order": 1,
            "rotation": 0.0,
            "attributes": [],
        }
    ],
    "elements": [],
}
INTERVAL = {
    "id": 1005,
    "label_id": 5,
    "start": 3,
    "stop": 9,
    "group": 0,
    "source": "auto",
    "score": 0.5,
    "attributes": [],
}

BODIES: list[Body] = [
    AccessTokenChanged(
        token_id=4, user_id=1, changes={"expiry_date": {"from": None, "to": "2026-11-20T12:30:15.123456+00:00"}}
    ),
    AccessTokenCreated(token_id=4, user_id=1, name="import", read_only=False, expiry_date=TIME, value_hash=SHA256),
    AccessTokenRevoked(token_id=4, user_id=1, name="night import"),
    AccessTokenUsed(token_id=4, user_id=1),
    AnnotationsChanged(
        job_id=11,
        task_id=7,
        project_id=2,
        created={"tags": [TAG], "shapes": [RECTANGLE]},
        updated={"tracks": [TRACK]},
        removed={"tags": {"": [900]}, "shapes": {"rectangle": [901, 902], "mask": [903]}},
        tracks=[TrackChange(id=TRACK["id"], visible=-3)],
    ),
    AnnotationsReplaced(
        job_id=11,
        task_id=7,
        project_id=None,
        created={"intervals": [INTERVAL]},
        removed={"shapes": {"rectangle": 2}},
        removed_ids={"shapes": {"rectangle": [901, 902]}},
        tracks=[],
    ),
    AnnotationsCleared(
        job_id=11,
        task_id=7,
        project_id=2,
        removed={"tags": {"": 1}, "tracks": {"polygon": 1}},
        removed_ids={"tags": {"": [900]}, "tracks": {"polygon": [904]}},
        tracks=[TrackChange(id=904, visible=-7, keyframes=[905, 906])],
    ),
    AnnotationsRestored(
        job_id=11,
        task_id=7,
        project_id=2,
        version=3,
        created={"tags": [TAG]},
        updated={"shapes": [RECTANGLE]},
        removed={"tracks": {"polygon": [904]}},
        tracks=[TrackChange(id=904, visible=-7, keyframes=[905, 906])],
    ),
    DataUploaded(
        task_id=7,
        project_id=2,
        size=3,
        image_quality=70,
        chunk_size=36,
        start_frame=1,
        stop_frame=5,
        frame_filter="step=2",
        sorting_method="natural",
        media_type="image",
        mode="annotation",
        dimension="2d",
        original_chunk_type="imageset",
        compressed_chunk_type="imageset",
        params={"image_quality": 70, "sorting_method": "natural"},
        changes={"mode": {"from": "", "to": "annotation"}, "overlap": {"from": None, "to": 1}},
    ),
    FilesReceived(task_id=7, files=[ReceivedFile(name="cät.jpg", sha256=SHA256, size=123_456)]),
    FramesAdded(task_id=7, first=0, frames=[Frame(name="cät.jpg", sha256=SHA256, size=123_456, width=640, height=480)]),
    FramesDeleted(task_id=7, project_id=2, job_id=11, frames=[1, 2], deleted_frames=[0, 1, 2]),
    FramesRestored(task_id=7, project_id=None, job_id=None, frames=[0, 2], deleted_frames=[1]),
    RelatedImagesAdded(task_id=7, images=[RelatedImage(frame=0, name="löft.jpg", sha256=SHA256, size=123_456)]),
    VideoAdded(
        task_id=7,
        video=ReceivedFile(name="cäts.mp4", sha256=SHA256, size=123_456),
        index=ReceivedFile(name="cäts.mp4.index", sha256=SHA256, size=512),
        width=640,
        height=480,
        frame_count=300,
    ),
    JobsSplit(task_id=7, segment_size=2, overlap=1, job_count=2),
    UploadStarted(task_id=7),
    CommentAdded(comment_id=4, owner_id=1, message="Is this a cät?", **ISSUE),
    CommentDeleted(comment_id=4, message="Is this a cat?", **ISSUE),
    CommentEdited(comment_id=4, message="Is this a cat?", previous="Is this a cät?", **ISSUE),
    IssueChanged(changes={"assignee_id": {"from": None, "to": 4}}, **ISSUE),
    IssueDeleted(comments=[DeletedComment(id=4, message="Is this a cät?")], **ISSUE),
    IssueOpened(frame=2, position=[1.5, 2.0], owner_id=1, assignee_id=None, **ISSUE),
    IssueReopened(**ISSUE),
    IssueResolved(**ISSUE),
    JobAssigned(job_id=11, task_id=7, project_id=2, assignee_id=4, assignee="bob", previous_assignee_id=None),
    JobCreated(
        job_id=11,
        task_id=7,
        project_id=None,
        segment_id=9,
        type="replica",
        start_frame=0,
        stop_frame=1,
        assignee_id=4,
        stage="annotation",
        state="new",
        parent_job_id=10,
    ),
    JobDeleted(job_id=11, task_id=7, project_id=2, stage="validation", state="new", issues=[GONE_ISSUE]),
    JobRestored(job_id=11, task_id=7, project_id=2, stage="validation", state="new", deletion=99, issues=[GONE_ISSUE]),
    JobStateChanged(
        job_id=11,
        task_id=7,
        project_id=2,
        stage="acceptance",
        state="completed",
        previous_stage="validation",
        previous_state="in progress",
    ),
    LabelChanged(project_id=None, task_id=7, label=CAT, changes={"name": {"from": "dog", "to": "cat"}}),
    LabelDeleted(project_id=2, task_id=None, label_id=5, name="cat", sublabels=[POINT]),
    LabelRestored(project_id=2, task_id=None, label_id=5, name="cat", deletion=99, sublabels=[POINT]),
    LabelsAdded(project_id=2, task_id=None, labels=[CAT]),
    ProjectChanged(project_id=2, changes={"assignee_id": {"from": None, "to": 4}}),
    ProjectCreated(
        project_id=2,
        name="animals",
        owner_id=1,
        assignee_id=4,
        bug_tracker="https://bugs.example.org/1",
        organization_id=3,
        source_storage=STORAGE,
        target_storage=None,
    ),
    ProjectDeleted(project_id=2, name="animals", task_ids=[7, 8], labels=[POINT]),
    ProjectRestored(project_id=2, name="animals", deletion=99, labels=[POINT]),
    LeaseExpired(request_id=CREATION, agent="agent-1", last_beat=TIME),
    RequestCancelled(request_id=CREATION, task_id=7),
    RequestFailed(request_id=CREATION, task_id=7, message="cät.jpg is not an image", stack="MediaError\n"),
    RequestFinished(request_id=CREATION, task_id=7, result={"result_id": 7}),
    RequestQueued(
        request_id=CREATION,
        queue="import",
        action="create",
        target="task",
        subresource="",
        owner_id=1,
        owner="ann",
        project_id=2,
        task_id=7,
        job_id=None,
        params={"image_quality": 70},
    ),
    RequestStarted(request_id=CREATION, agent="agent-1", attempt=1),
    TaskChanged(task_id=7, project_id=2, changes={"name": {"from": "cats", "to": "more cats"}}),
    TaskCreated(
        task_id=7,
        project_id=None,
        name="cats",
        owner_id=1,
        assignee_id=4,
        bug_tracker="",
        subset="Train",
        segment_size=2,
        overlap=None,
        consensus_replicas=0,
        organization_id=3,
        source_storage=None,
        target_storage=STORAGE,
    ),
    TaskMoved(
        task_id=7, project_id=2, previous_project_id=None, job_ids=[11, 12], labels=[[5, 21]], attributes=[[3, 8]]
    ),
    TaskDeleted(task_id=7, project_id=None, name="cats", job_ids=[11, 12], labels=[POINT], issues=[GONE_ISSUE]),
    TaskPurged(task_id=7, project_id=2, name="cats", job_ids=[11, 12], deletion=99),
    TaskRestored(
        task_id=7,
        project_id=None,
        name="cats",
        job_ids=[11, 12],
        deletion=99,
        labels=[POINT],
        issues=[GONE_ISSUE],
    ),
    ServerEventsReported(
        process="höst-4711",
        day="2026-11-20",
        events=[
            {
                "scope": "send:exception",
                "timestamp": "2026-11-20T12:30:15.123456+00:00",
                "count": 3,
                "payload": {
                    "message": "Not found.",
                    "stack": "",
                    "status_code": 404,
                    "request": {"url": "/api/tasks/7"},
                },
                "task_id": 7,
                "user_id": 1,
                "user_name": "ann",
                "organization_id": 4,
                "organization": "zoo",
            },
            {
                "scope": "read:cache_item",
                "timestamp": "2026-11-20T12:30:15.223456+00:00",
                "count": 1,
                "payload": {
                    "cache_item": {
                        "type": "chunk",
                        "target": "job",
                        "target_id": 11,
                        "number": 0,
                        "quality": "compressed",
                        "size": 123_456,
                    },
                    "queue": "chunks",
                },
                "job_id": 11,
            },
        ],
    ),
    ClientEventsReported(
        user_id=1,
        day="2026-11-20",
        events=[
            {"scope": "load:cvat", "timestamp": "2026-11-20T10:00:00+00:00", "payload": '{"language":"sv"}'},
            {
                "scope": "draw:object",
                "timestamp": "2026-11-20T10:00:05.250000+00:00",
                "duration": 1500,
                "count": 1,
                "obj_name": "rectangle",
                "obj_id": 1002,
                "obj_val": "cät",
                "project_id": 2,
                "task_id": 7,
                "job_id": 11,
            },
        ],
        working_times=[
            {
                "timestamp": "2026-11-20T10:00:05.250000+00:00",
                "milliseconds": 5250,
                "project_id": None,
                "task_id": 7,
                "job_id": 11,
            }
        ],
        remote_addr="192.0.2.7",
    ),
    UserDeactivated(user_id=1),
    UserDeleted(user_id=1, username="ann", access_tokens=[NamedToken(id=4, name="night import")]),
    UserLoggedIn(user_id=1, login_id=8, cookie_hash=SHA256, token_hash=SHA256[::-1], expires=TIME),
    UserLoggedOut(user_id=1, login_id=8),
    UserPasswordChanged(user_id=1, password_hash="$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA"),
    UserProfileChanged(user_id=1, changes={"email": {"from": "", "to": "ann@example.org"}}),
    UserReactivated(user_id=1),
    UserRegistered(
        user_id=1,
        username="ann",
        email="ann@example.org",
        first_name="Ann",
        last_name="Åberg",
        is_admin=True,
        password_hash="$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
    ),
    UserRoleChanged(user_id=1, role="worker", previous_role="admin", changes={"is_staff": {"from": True, "to": False}}),
    HoneypotsPlaced(task_id=7, project_id=2, honeypots=[Honeypot(frame=1, real_frame=4, picture=PICTURE)]),
    ValidationFramesDisabled(task_id=7, project_id=2, frames=[4]),
    ValidationSetUp(task_id=7, project_id=2, job_id=13, mode="gt_pool", frames=[4, 5], frames_per_job_count=1),
]
EXAMPLES: dict[str, Any] = {body.type_name: body for body in BODIES}
LIFTED: dict[tuple[str, int], Body] = {
    ("AnnotationsChanged", 1): replace(EXAMPLES["AnnotationsChanged"], tracks=[]),
    ("AnnotationsCleared", 1): AnnotationsCleared(11, 7, 2, removed={"tags": {"": 1}, "tracks": {"polygon": 3}}),
    ("AnnotationsReplaced", 1): replace(EXAMPLES["AnnotationsReplaced"], removed_ids={}),
    ("AnnotationsRestored", 1): replace(EXAMPLES["AnnotationsRestored"], tracks=[]),
    ("CommentDeleted", 1): CommentDeleted(comment_id=4, message=None, **ISSUE),
    ("DataUploaded", 1): replace(EXAMPLES["DataUploaded"], changes={}),
    ("IssueDeleted", 1): IssueDeleted(
        comments=[DeletedComment(id=4, message=None), DeletedComment(id=5, message=None)], **ISSUE
    ),
    ("JobCreated", 1): JobCreated(11, 7, None, 9, "annotation", 0, 1, 4, "annotation", "new", None),
    ("JobDeleted", 1): JobDeleted(11, 7, 2, "validation", "new", issues=[]),
    ("JobRestored", 1): JobRestored(11, 7, 2, "validation", "new", 99, issues=[]),
    ("LabelDeleted", 1): LabelDeleted(2, None, 5, "cat", sublabels=[]),
    ("LabelRestored", 1): LabelRestored(2, None, 5, "cat", 99, sublabels=[]),
    ("ProjectDeleted", 1): ProjectDeleted(2, "animals", task_ids=[], labels=[]),
    ("ProjectDeleted", 2): ProjectDeleted(2, "animals", task_ids=[7, 8], labels=[]),
    ("ProjectRestored", 1): ProjectRestored(2, "animals", 99, labels=[]),
    ("RequestFailed", 1): replace(EXAMPLES["RequestFailed"], stack=""),
    ("TaskDeleted", 1): TaskDeleted(7, 2, "cats", [11, 12], labels=[], issues=[]),
    ("TaskDeleted", 2): TaskDeleted(7, None, "cats", [11, 12], labels=[POINT], issues=[]),
    ("TaskRestored", 1): TaskRestored(7, 2, "cats", [11, 12], 99, labels=[], issues=[]),
    ("TaskRestored", 2): TaskRestored(7, None, "cats", [11, 12], 99, labels=[POINT], issues=[]),
    ("UserDeleted", 1): UserDeleted(user_id=1, username="ann", access_tokens=[]),
    ("UserRoleChanged", 1): UserRoleChanged(user_id=1, role="worker", previous_role="user", changes={}),
}
"""What the bodies of older versions are today, where they did not say all that is said now."""
