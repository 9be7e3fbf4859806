// Drives the Go client that openapi-generator generates: steps in, what came of them out.
package main

import (
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
	if one.Do == "upload" {
		var stored *gateway.Attachment
		stored, response, err = client.AttachmentsAPI.UploadAttachment(ctx, one.Customer, one.Name).
			Body(file(one.Content)).Execute()
		if err == nil {
			seen["attachment"] = stored.Attachment
		}
	} else {
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
