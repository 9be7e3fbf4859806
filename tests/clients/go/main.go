// Drives the Go client that openapi-generator generates: steps in, what came of them out.
package main

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"

	gateway "gateway.test/clients/partnergateway"
)

type step struct {
	Do       string
	Customer string
	FullName string `json:"full_name"`
	Number   string
	Name     string
	Content  string
	Key      string
	Month    string
}

type outcome map[string]interface{}

func (seen outcome) hear(response *http.Response) {
	seen["http"] = response.StatusCode
	seen["location"] = response.Header.Get("Location")
	seen["retry_after"] = response.Header.Get("Retry-After")
}

func (seen outcome) refused(err error) {
	var failure *gateway.GenericOpenAPIError
	if !errors.As(err, &failure) {
		panic(err)
	}
	problem, typed := failure.Model().(gateway.Problem)
	if !typed {
		panic(err)
	}
	pointers := []string{}
	for _, one := range problem.Errors {
		pointers = append(pointers, one.GetPointer())
	}
	seen["code"] = problem.Code
	seen["retry"] = problem.Retry
	seen["fault"] = problem.Fault
	seen["pointers"] = pointers
	if upstream, told := problem.GetUpstreamOk(); told {
		seen["upstream_code"] = upstream.GetCode()
	}
	seen["retry_after_s"] = problem.GetRetryAfterS()
	seen["text"] = failure.Error()
}

func (seen outcome) stands(answer *gateway.Verification) {
	takers := []string{}
	for _, one := range answer.Backends {
		if one.Accepted {
			takers = append(takers, one.Backend)
		}
	}
	seen["status"] = answer.Status
	seen["final"] = answer.Final
	seen["year"] = answer.CheckedAt.Year()
	seen["accepted"] = answer.GetAccepted()
	seen["takers"] = takers
	if rejection, told := answer.GetRejectionOk(); told {
		seen["reason"] = rejection.Reason
	}
}

func (seen outcome) onboard(client *gateway.APIClient, ctx context.Context, created *gateway.CreatedCustomer) {
	id, customers := created.CustomerId, client.CustomersAPI
	wait := customers.GetCustomer(ctx, id)
	if created.Status == "ASSOCIATING" {
		wait = wait.Prefer("wait=20")
	}
	associated, _, err := wait.Execute()
	must(err)
	wanted := gateway.NewSetBudget("500.00")
	wanted.SetUnfreeze(true)
	budget, _, err := client.BudgetsAPI.SetBudget(ctx, id).SetBudget(*wanted).Execute()
	must(err)
	open, _, err := customers.GetCustomer(ctx, id).Execute()
	must(err)
	frozen, _, err := client.FreezesAPI.FreezeCustomer(ctx, id).
		Freeze(*gateway.NewFreeze("not paid")).Execute()
	must(err)
	seen["said"] = []interface{}{
		created.Status, associated.Requirements, budget.Amount, open.Requirements, frozen.Frozen}
}

func (seen outcome) page(orders *gateway.Orders) {
	ids := []string{}
	for _, one := range orders.Items {
		ids = append(ids, one.OrderId)
	}
	seen["orders"] = ids
	seen["next"] = orders.GetNext()
	seen["total"] = orders.Total
}

func (seen outcome) lines(bill *os.File) {
	defer os.Remove(bill.Name())
	defer bill.Close()
	lines := bufio.NewScanner(bill)
	count := 0
	for ; lines.Scan(); count++ {
		if count == 0 {
			seen["first"] = lines.Text()
		}
		seen["last"] = lines.Text()
	}
	must(lines.Err())
	seen["count"] = count
}

func file(content string) *os.File {
	bytes, err := hex.DecodeString(content)
	must(err)
	written, err := os.CreateTemp("", "attachment-*")
	must(err)
	must(os.Remove(written.Name()))
	_, err = written.Write(bytes)
	must(err)
	_, err = written.Seek(0, 0)
	must(err)
	return written
}

func (seen outcome) call(client *gateway.APIClient, ctx context.Context, one step) {
	var response *http.Response
	var err error
	switch one.Do {
	case "onboard":
		var created *gateway.CreatedCustomer
		created, response, err = client.CustomersAPI.CreateCustomer(ctx).IdempotencyKey(one.Key).
			CreateCustomer(*gateway.NewCreateCustomer("SG", one.Customer)).Execute()
		if err == nil {
			seen.onboard(client, ctx, created)
		}
	case "orders":
		var orders *gateway.Orders
		orders, response, err = client.OrdersAPI.ListOrders(ctx).CustomerId(one.Customer).
			Limit(2).Execute()
		if err == nil {
			seen.page(orders)
		}
	case "lines":
		var bill *os.File
		bill, response, err = client.BillLinesAPI.GetPartnerBillLines(ctx, one.Month).
			CustomerId(one.Customer).Execute()
		if err == nil {
			seen.lines(bill)
		}
	case "upload":
		var stored *gateway.Attachment
		stored, response, err = client.AttachmentsAPI.UploadAttachment(ctx, one.Customer, one.Name).
			Body(file(one.Content)).Execute()
		if err == nil {
			seen["attachment"] = stored.Attachment
		}
	default:
		var answer *gateway.Verification
		if one.Do == "read" {
			answer, response, err = client.VerificationAPI.GetVerification(ctx, one.Customer).
				Prefer("wait=20").Execute()
		} else {
			person := gateway.NewIndividual(
				*gateway.NewIndividualDocument(one.Number, "PASSPORT"), one.FullName)
			person.SetPartnerUserId("shop-1")
			person.SetAttachments([]string{one.Customer + "/1.jpg", one.Customer + "/2.jpg"})
			answer, response, err = client.SubmissionsAPI.
				SubmitIndividualVerification(ctx, one.Customer).
				Individual(*person).Prefer("wait=5").ValidateOnly(one.Do == "check").Execute()
		}
		if err == nil {
			seen.stands(answer)
		}
	}
	if err != nil {
		seen.refused(err)
	}
	seen.hear(response)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	configuration := gateway.NewConfiguration()
	configuration.Servers = gateway.ServerConfigurations{{URL: os.Args[1]}}
	client := gateway.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), gateway.ContextAccessToken, os.Args[2])
	var steps []step
	must(json.NewDecoder(os.Stdin).Decode(&steps))
	for _, one := range steps {
		seen := outcome{}
		seen.call(client, ctx, one)
		must(json.NewEncoder(os.Stdout).Encode(seen))
	}
}
