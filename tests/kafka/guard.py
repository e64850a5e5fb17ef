"""A broker that lets in whom it knows, and lets them do what they may."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing

from kafka import KafkaAdminClient
from kafka.admin import ACL, ACLFilter, ACLOperation, ACLPermissionType, ResourcePattern, ResourceType

from tests.kafka.broker import Cluster

ADMIN, USER = "admin", "annals"
LOGIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule required"


def guarded_settings() -> Mapping[str, object]:
    known = " ".join(f'user_{name}="{password(name)}"' for name in (ADMIN, USER))
    return {
        # The listener's name says nothing of what is spoken there.
        "listener.security.protocol.map": "PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.plaintext.plain.sasl.jaas.config": (
            f'{LOGIN_MODULE} username="{ADMIN}" password="{password(ADMIN)}" {known};'
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN};User:ANONYMOUS",  # the latter are controllers
    }


def password(name: str) -> str:
    return f"the password of {name}"


def log_in(name: str) -> Mapping[str, object]:
    """As a client of kafka-python is given it."""
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": name,
        "sasl_plain_password": password(name),
    }


def allow(cluster: Cluster, resource: ResourceType, name: str, *operations: ACLOperation) -> None:
    """USER may do that."""
    with closing(KafkaAdminClient(bootstrap_servers=cluster.servers.split(","), **log_in(ADMIN))) as admin:
        admin.create_acls([_rule(ACL, resource, name, operation) for operation in operations])


def forbid(cluster: Cluster, resource: ResourceType, name: str, *operations: ACLOperation) -> None:
    """What was allowed is so no more."""
    with closing(KafkaAdminClient(bootstrap_servers=cluster.servers.split(","), **log_in(ADMIN))) as admin:
        admin.delete_acls([_rule(ACLFilter, resource, name, operation) for operation in operations])


def _rule(kind: type[ACLFilter], resource: ResourceType, name: str, operation: ACLOperation) -> ACLFilter:
    return kind(f"User:{USER}", "*", operation, ACLPermissionType.ALLOW, ResourcePattern(resource, name))
