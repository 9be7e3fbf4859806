#!/bin/sh
# Creates a customer that may buy: sh quickstart.sh YOUR_ID [PICTURE...]
set -eu
user=$1
shift
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# curl repeats 429 and 5xx after the seconds in Retry-After.
call() {
  curl --silent --show-error --fail-with-body --max-time 30 --retry 3 --retry-connrefused \
    --output "$answer" --header "Authorization: Bearer $KEY" "$@" || { cat "$answer" >&2; exit 1; }
}

json='Content-Type: application/json'
# The keys are made of your own id, so that a restart creates no second customer.
call "$GATEWAY/v1/customers" --header "$json" --header "Idempotency-Key: create-$user" \
  --data "{\"partner_user_id\": \"$user\", \"country\": \"SG\"}"
customer=$GATEWAY/v1/customers/$(sed 's/.*"customer_id": *"\([^"]*\)".*/\1/' "$answer")
if grep -q '"ASSOCIATING"' "$answer"; then # Huawei lists the customer when it is associated
  call "$customer" --header 'Prefer: wait=25'
fi
# A new customer is frozen and has no budget.
call "$customer/budget" --request PUT --header "$json" --data '{"amount": "500.00", "unfreeze": true}'

attachments=
for picture in "$@"; do
  call "$customer/attachments/$picture" --upload-file "$picture" --header 'Content-Type: image/jpeg'
  stored=$(sed 's/.*"attachment": *\("[^"]*"\).*/\1/' "$answer")
  attachments="${attachments:-, \"attachments\": [}${attachments:+, }$stored"
done
call "$customer/verifications/individual" --header "$json" --header "Idempotency-Key: verify-$user" \
  --data "{\"full_name\": \"ZHANG SAN\", \"document\": {\"type\": \"PASSPORT\",
    \"number\": \"E1234567\"}, \"partner_user_id\": \"$user\"${attachments:+$attachments]}}"
if grep -q '"IN_REVIEW"' "$answer"; then # a person reviews it; the review can take longer than this wait
  call "$customer/verification" --header 'Prefer: wait=25'
fi
cat "$answer"
call "$customer"
cat "$answer" # `requirements`: what still keeps the customer from buying
