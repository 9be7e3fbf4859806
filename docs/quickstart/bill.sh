#!/bin/sh
# Downloads the lines of a bill as CSV: sh bill.sh MONTH FILE [CUSTOMER_ID]
set -eu
month=$1 file=$2 customer=${3:+?customer_id=$3}

# curl's status is 0 only if the answer ended as it should. The whole answer has no limit; curl
# gives up after 300 seconds without a byte.
status=0
curl --silent --show-error --fail-with-body --speed-limit 1 --speed-time 300 \
  --header "Authorization: Bearer $KEY" --header 'Accept: text/csv' --output "$file.part" \
  "$GATEWAY/v1/partner/bills/$month/lines$customer" || status=$?
if [ $status = 0 ]; then
  mv "$file.part" "$file" # a program that reads CSV and has decimals can now add up the lines
else
  [ $status != 22 ] || cat "$file.part" >&2 # the problem
  rm -f "$file.part"
  exit 1
fi
