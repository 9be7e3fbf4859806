#!/bin/sh
# Verifies a customer: sh quickstart.sh CUSTOMER [ATTACHMENT...]
set -eu
customer=$1
shift
attachments=
for name in "$@"; do
  attachments="${attachments:-, \"attachments\": [}${attachments:+, }\"$name\""
done
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# curl repeats 429 and 5xx after the seconds in Retry-After.
call() {
  curl --silent --show-error --fail-with-body --max-time 30 --retry 3 --retry-connrefused \
    --output "$answer" --header "Authorization: Bearer $KEY" "$@" || { cat "$answer" >&2; exit 1; }
}

# One key for each submission. Store it with your order, so that a restart repeats the submission
# and does not submit twice.
key=$(od -An -N16 -tx1 /dev/urandom | tr -d ' ')
call "$GATEWAY/v1/customers/$customer/verifications/individual" \
  --header 'Content-Type: application/json' --header "Idempotency-Key: $key" \
  --data "{\"full_name\": \"ZHANG SAN\", \"document\": {\"type\": \"PASSPORT\",
    \"number\": \"E1234567\"}, \"partner_user_id\": \"shop-981\"${attachments:+$attachments]}}"
if grep -q '"IN_REVIEW"' "$answer"; then # a person reviews it; the review can take longer than this wait
  call "$GATEWAY/v1/customers/$customer/verification" --header 'Prefer: wait=25'
fi
cat "$answer"
