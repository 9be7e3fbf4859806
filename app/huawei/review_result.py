"""The read of a customer's review result, which tells the state of a verification."""

from dataclasses import replace

from app.huawei.operation import Operation
from app.huawei.success import ByFields, ReviewResult

READ_RESULT = Operation(
    name="read_result",  # mc_00020
    method="GET",
    path="/v2/customers/realname-auths/result",
    writes=False,
    success=ByFields(ReviewResult()),
)

# A probe finds out whether Huawei answers and accepts the credential. It reads the result of a
# customer that does not exist, and shares the quota of that API.
PROBE = replace(READ_RESULT, name="probe", queue=READ_RESULT.name)
