// Verifies a customer: go run . CUSTOMER [ATTACHMENT...]
package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	gateway "example.com/shop/partnergateway"
)

const tries = 4

// withRetries returns the answer of a call. It repeats the call if the problem allows it.
func withRetries(call func() (*gateway.Verification, *http.Response, error)) *gateway.Verification {
	for attempt := 1; ; attempt++ {
		answer, _, err := call()
		if err == nil {
			return answer
		}
		pause := time.Second << attempt
		var failure *gateway.GenericOpenAPIError
		if errors.As(err, &failure) {
			if problem, typed := failure.Model().(gateway.Problem); typed {
				err = fmt.Errorf("%s: %s (request %s)", problem.Code, problem.Detail, problem.RequestId)
				if problem.Retry != "AFTER_DELAY" && problem.Retry != "SAME_KEY" {
					log.Fatal(err)
				}
				if seconds := problem.GetRetryAfterS(); seconds > 0 {
					pause = time.Duration(seconds) * time.Second
				}
			}
		}
		if attempt == tries {
			log.Fatal(err)
		}
		time.Sleep(pause)
	}
}

func newKey() string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		log.Fatal(err)
	}
	return hex.EncodeToString(bytes)
}

func main() {
	customer, attachments := os.Args[1], os.Args[2:]
	configuration := gateway.NewConfiguration()
	configuration.Servers = gateway.ServerConfigurations{{URL: os.Getenv("GATEWAY")}}
	configuration.HTTPClient = &http.Client{Timeout: 30 * time.Second}
	client := gateway.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), gateway.ContextAccessToken, os.Getenv("KEY"))

	person := gateway.Individual{
		FullName:      "ZHANG SAN",
		Document:      gateway.IndividualDocument{Type: "PASSPORT", Number: "E1234567"},
		PartnerUserId: gateway.PtrString("shop-981"),
	}
	if len(attachments) > 0 {
		person.Attachments = attachments
	}
	// One key for each submission. Store it with your order, so that a restart repeats the
	// submission and does not submit twice.
	answer := withRetries(client.SubmissionsAPI.SubmitIndividualVerification(ctx, customer).
		Individual(person).IdempotencyKey(newKey()).Execute)
	if !answer.Final { // a person reviews it; the review can take longer than this wait
		answer = withRetries(
			client.VerificationAPI.GetVerification(ctx, customer).Prefer("wait=25").Execute)
	}
	message := fmt.Sprintf("%s: %s", customer, answer.Status)
	if rejection, is := answer.GetRejectionOk(); is {
		message += ": " + rejection.Reason
	}
	fmt.Println(message)
}
