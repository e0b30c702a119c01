"""Every endpoint there is. A new file of endpoints is named here, and nowhere else."""

from esito.api.http.endpoint import AdminEndpoint, AnyEndpoint, Endpoint
from esito.api.v1 import (
    bulk_send,
    cancellation,
    long_number,
    lookup,
    me,
    multi_status,
    send,
    statistics,
    status,
    stop_list,
    subaccount_credit,
    subaccounts,
)
from esito.api.v2 import (
    callback_destinations,
    callback_outbox,
    callback_replay,
    clock_advance,
    events,
    export_stream,
    key_rotation,
    link_admin,
    link_overview,
    message_overview,
    message_search,
    number_erasure,
    orphan_list,
    recipient_explained,
    recipients,
    reply_list,
)

FILES = (
    status,
    multi_status,
    send,
    bulk_send,
    long_number,
    cancellation,
    me,
    stop_list,
    subaccounts,
    subaccount_credit,
    statistics,
    lookup,
    message_overview,
    recipients,
    recipient_explained,
    message_search,
    export_stream,
    number_erasure,
    reply_list,
    events,
    callback_outbox,
    callback_destinations,
    callback_replay,
    key_rotation,
    link_overview,
    link_admin,
    orphan_list,
    clock_advance,
)
"""In the order of the documentation."""

ENDPOINTS: tuple[AnyEndpoint, ...] = tuple(
    one for file in FILES for one in vars(file).values() if isinstance(one, Endpoint | AdminEndpoint)
)
