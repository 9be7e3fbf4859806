// Creates a customer that may buy: go run . YOUR_ID [PICTURE...]
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	gateway "example.com/shop/partnergateway"
)

const tries = 4

// withRetries returns the answer of a call. It repeats the call if the problem allows it.
func withRetries[T any](call func() (T, *http.Response, error)) T {
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

func upload(ctx context.Context, client *gateway.APIClient, customer, name string) string {
	stored := withRetries(func() (*gateway.Attachment, *http.Response, error) {
		picture, err := os.Open(name)
		if err != nil {
			log.Fatal(err)
		}
		defer picture.Close()
		return client.AttachmentsAPI.UploadAttachment(ctx, customer, name).Body(picture).Execute()
	})
	return stored.Attachment
}

func main() {
	user, pictures := os.Args[1], os.Args[2:]
	configuration := gateway.NewConfiguration()
	configuration.Servers = gateway.ServerConfigurations{{URL: os.Getenv("GATEWAY")}}
	configuration.HTTPClient = &http.Client{Timeout: 30 * time.Second}
	client := gateway.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), gateway.ContextAccessToken, os.Getenv("KEY"))

	// The keys are made of your own id, so that a restart creates no second customer.
	created := withRetries(client.CustomersAPI.CreateCustomer(ctx).
		CreateCustomer(gateway.CreateCustomer{PartnerUserId: user, Country: "SG"}).
		IdempotencyKey("create-" + user).Execute)
	customer := created.CustomerId
	if created.Status == "ASSOCIATING" { // Huawei lists the customer when it is associated
		withRetries(client.CustomersAPI.GetCustomer(ctx, customer).Prefer("wait=25").Execute)
	}
	// A new customer is frozen and has no budget.
	budget := gateway.SetBudget{Amount: "500.00", Unfreeze: gateway.PtrBool(true)}
	withRetries(client.BudgetsAPI.SetBudget(ctx, customer).SetBudget(budget).Execute)

	person := gateway.Individual{
		FullName:      "ZHANG SAN",
		Document:      gateway.IndividualDocument{Type: "PASSPORT", Number: "E1234567"},
		PartnerUserId: &user,
	}
	for _, name := range pictures {
		person.Attachments = append(person.Attachments, upload(ctx, client, customer, name))
	}
	answer := withRetries(client.SubmissionsAPI.SubmitIndividualVerification(ctx, customer).
		Individual(person).IdempotencyKey("verify-" + user).Execute)
	if !answer.Final { // a person reviews it; the review can take longer than this wait
		answer = withRetries(
			client.VerificationAPI.GetVerification(ctx, customer).Prefer("wait=25").Execute)
	}
	state := withRetries(client.CustomersAPI.GetCustomer(ctx, customer).Execute)
	message := fmt.Sprintf("%s: %s", user, answer.Status)
	if rejection, is := answer.GetRejectionOk(); is {
		message += ": " + rejection.Reason
	}
	fmt.Println(message)
	if len(state.Requirements) > 0 {
		fmt.Println("still needs", strings.Join(state.Requirements, ", "))
	} else {
		fmt.Println("may buy")
	}
}
