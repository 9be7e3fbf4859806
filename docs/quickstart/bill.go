// Adds up a column of a bill for each customer: go run bill.go MONTH COLUMN
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"os"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal("no bill, or a part of it: ", err)
	}
	return value
}

func main() {
	request := must(http.NewRequest("GET",
		os.Getenv("GATEWAY")+"/v1/partner/bills/"+os.Args[1]+"/lines", nil))
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))
	answer := must(http.DefaultClient.Do(request))
	if answer.StatusCode != 200 {
		log.Fatal(string(must(io.ReadAll(answer.Body))))
	}
	sums, decoder := map[string]*big.Rat{}, json.NewDecoder(answer.Body)
	for {
		line := map[string]any{}
		must(0, decoder.Decode(&line)) // fails at an end without the last line
		if line["complete"] == true {  // the last line; other values are texts
			break
		}
		customer, amount := fmt.Sprint(line["customer_id"]), new(big.Rat)
		must(fmt.Sscan(fmt.Sprint(line[os.Args[2]]), amount)) // exact
		if sum := sums[customer]; sum != nil {
			amount.Add(amount, sum)
		}
		sums[customer] = amount
	}
	for customer, sum := range sums {
		fmt.Printf("%s: %s\n", customer, sum.FloatString(8)) // an amount has up to 8 decimals
	}
}
