//! Drives the Rust client that openapi-generator generates: steps in, what came of them out.
//!
//! The client gives no headers. The variant of an answer's entity is the first one that fits, not
//! the one of the status, so this reads the content.

use std::{env, fs, io, path, process};

use gateway::apis::configuration::Configuration;
use gateway::apis::{
    attachments_api, bill_lines_api, budgets_api, customers_api, freezes_api, orders_api,
    submissions_api, verification_api, Error, ResponseContent,
};
use gateway::models::{
    Attachment, Budget, CreateCustomer, CreatedCustomer, Freeze, Frozen, Individual,
    IndividualDocument, IndividualDocumentType, OneCustomer, Orders, Problem, SetBudget,
    Verification,
};
use serde_json::{from_str, json, Value};

fn file(content: &str) -> path::PathBuf {
    let path = env::temp_dir().join(format!("attachment-{}", process::id()));
    let digits = (0..content.len()).step_by(2).map(|at| &content[at..at + 2]);
    let bytes: Vec<u8> = digits
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect();
    fs::write(&path, bytes).unwrap();
    path
}

fn attached(content: &str) -> Value {
    let answer: Attachment = from_str(content).unwrap();
    json!({"attachment": answer.attachment})
}

fn stands(content: &str) -> Value {
    let answer: Verification = from_str(content).unwrap();
    let backends = answer.backends.unwrap_or_default();
    let takers = backends.iter().filter(|one| one.accepted);
    json!({
        "status": answer.status,
        "final": answer.r#final,
        "year": answer.checked_at[..4].parse::<u16>().unwrap(),
        "reason": answer.rejection.map(|one| one.reason),
        "accepted": answer.accepted,
        "takers": takers.map(|one| &one.backend).collect::<Vec<_>>(),
    })
}

fn created(content: &str) -> Value {
    let answer: CreatedCustomer = from_str(content).unwrap();
    json!({"customer": answer.customer_id, "status": answer.status})
}

fn content<S, E>(answer: Result<ResponseContent<S>, Error<E>>) -> String {
    match answer {
        Ok(answer) => answer.content,
        Err(error) => panic!("{}", error),
    }
}

/// What the answers of the onboarding loop say, from the creation to the freeze.
async fn onboarded(client: &Configuration, customer: &str, status: &str) -> Value {
    let wait = Some("wait=20").filter(|_| status == "ASSOCIATING");
    let answer = customers_api::get_customer(client, customer, wait, None, None).await;
    let associated: OneCustomer = from_str(&content(answer)).unwrap();
    let mut body = SetBudget::new("500.00".into());
    body.unfreeze = Some(true);
    let answer = budgets_api::set_budget(client, customer, body, None, None, None, None).await;
    let budget: Budget = from_str(&content(answer)).unwrap();
    let answer = customers_api::get_customer(client, customer, None, None, None).await;
    let open: OneCustomer = from_str(&content(answer)).unwrap();
    let body = Freeze::new("not paid".into());
    let answer = freezes_api::freeze_customer(client, customer, body, None, None, None, None).await;
    let frozen: Frozen = from_str(&content(answer)).unwrap();
    json!([
        status,
        associated.requirements,
        budget.amount,
        open.requirements,
        frozen.frozen
    ])
}

fn page(content: &str) -> Value {
    let answer: Orders = from_str(content).unwrap();
    let ids: Vec<_> = answer.items.iter().map(|one| &one.order_id).collect();
    json!({"orders": ids, "next": answer.next, "total": answer.total})
}

/// Reads a bill as a stream.
async fn lines(client: &Configuration, month: &str, customer: &str) -> Value {
    let answer = bill_lines_api::get_partner_bill_lines(client, month, Some(customer), None, None);
    let mut answer = match answer.await {
        Ok(answer) => answer,
        Err(error) => return outcome::<(), _>(Err(error), page),
    };
    let (mut count, mut first, mut last, mut rest) = (0, None, None, Vec::new());
    while let Some(chunk) = answer.chunk().await.unwrap() {
        rest.extend_from_slice(&chunk);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8(rest.drain(..=end).collect()).unwrap();
            first.get_or_insert(line.clone());
            last = Some(line);
            count += 1;
        }
    }
    assert!(rest.is_empty());
    let status = answer.status().as_u16();
    json!({"http": status, "no_headers": true, "count": count, "first": first, "last": last})
}

fn refused(content: &str) -> Value {
    let problem: Problem = from_str(content).unwrap();
    let errors = problem.errors.unwrap_or_default();
    json!({
        "code": problem.code,
        "retry": problem.retry,
        "fault": problem.fault,
        "pointers": errors.iter().map(|one| &one.pointer).collect::<Vec<_>>(),
        "upstream_code": problem.upstream.map(|one| one.code),
        "retry_after_s": problem.retry_after_s,
    })
}

fn outcome<S, E>(answer: Result<ResponseContent<S>, Error<E>>, read: fn(&str) -> Value) -> Value {
    let (status, mut seen) = match answer {
        Ok(answer) => (answer.status, read(&answer.content)),
        Err(Error::ResponseError(answer)) => (answer.status, refused(&answer.content)),
        Err(error) => panic!("{}", error),
    };
    seen["http"] = json!(status.as_u16());
    seen["no_headers"] = json!(true);
    seen
}

async fn call(client: &Configuration, step: &Value) -> Value {
    let text = |name: &str| step[name].as_str().unwrap();
    let customer = text("customer");
    match text("do") {
        "upload" => {
            let body = file(text("content"));
            let answer = attachments_api::upload_attachment(
                client,
                customer,
                text("name"),
                body,
                None,
                None,
            );
            outcome(answer.await, attached)
        }
        "onboard" => {
            let body = CreateCustomer::new("SG".into(), customer.into());
            let answer =
                customers_api::create_customer(client, text("key"), body, None, None, None).await;
            let mut seen = outcome(answer, created);
            if let (Some(id), Some(status)) = (seen["customer"].as_str(), seen["status"].as_str()) {
                let said = onboarded(client, id, status).await;
                seen["said"] = said;
            }
            seen
        }
        "orders" => {
            let answer = orders_api::list_orders(
                client,
                Some(2),
                None,
                Some(customer),
                None,
                None,
                None,
                None,
                None,
            );
            outcome(answer.await, page)
        }
        "lines" => lines(client, text("month"), customer).await,
        "read" => {
            let answer =
                verification_api::get_verification(client, customer, Some("wait=20"), None, None);
            outcome(answer.await, stands)
        }
        does => {
            let document =
                IndividualDocument::new(text("number").into(), IndividualDocumentType::Passport);
            let mut person = Individual::new(document, text("full_name").into());
            person.partner_user_id = Some("shop-1".into());
            person.attachments = Some(vec![
                format!("{customer}/1.jpg"),
                format!("{customer}/2.jpg"),
            ]);
            let validate_only = Some(does == "check");
            let answer = submissions_api::submit_individual_verification(
                client,
                customer,
                person,
                validate_only,
                None,
                Some("wait=5"),
                None,
                None,
            );
            outcome(answer.await, stands)
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = env::args().collect();
    let client = Configuration {
        base_path: arguments[1].clone(),
        bearer_access_token: Some(arguments[2].clone()),
        ..Configuration::new()
    };
    let steps: Vec<Value> = serde_json::from_reader(io::stdin()).unwrap();
    for step in &steps {
        println!("{}", call(&client, step).await);
    }
}
