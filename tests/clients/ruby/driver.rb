# Drives the Ruby client that openapi-generator generates: steps in, what came of them out.

require 'json'
require 'gateway'

CONFIG = Gateway::Configuration.new do |config|
  config.scheme, config.host = ARGV[0].split('://')
  config.access_token = ARGV[1]
  config.logger = Logger.new($stderr) # of downloads; by default it writes to the standard output
end
CLIENT = Gateway::ApiClient.new(CONFIG)

def call(step)
  customer = step['customer']
  case step['do']
  when 'upload'
    # The client sends a String as it is; it writes any other object as JSON.
    Gateway::AttachmentsApi.new(CLIENT)
      .upload_attachment_with_http_info(customer, step['name'], [step['content']].pack('H*'))
  when 'onboard'
    body = Gateway::CreateCustomer.new(partner_user_id: customer, country: 'SG')
    Gateway::CustomersApi.new(CLIENT).create_customer_with_http_info(step['key'], body)
  when 'orders'
    Gateway::OrdersApi.new(CLIENT).list_orders_with_http_info(limit: 2, customer_id: customer)
  when 'lines'
    Gateway::BillLinesApi.new(CLIENT)
      .get_partner_bill_lines_with_http_info(step['month'], customer_id: customer)
  when 'read'
    Gateway::VerificationApi.new(CLIENT).get_verification_with_http_info(customer, prefer: 'wait=20')
  else
    person = Gateway::Individual.new(
      full_name: step['full_name'],
      document: Gateway::IndividualDocument.new(
        number: step['number'], type: Gateway::IndividualDocumentType::PASSPORT
      ),
      partner_user_id: 'shop-1',
      attachments: ["#{customer}/1.jpg", "#{customer}/2.jpg"]
    )
    Gateway::SubmissionsApi.new(CLIENT).submit_individual_verification_with_http_info(
      customer, person, prefer: 'wait=5', validate_only: step['do'] == 'check'
    )
  end
end

# What the answers of the onboarding loop say, from the creation to the freeze.
def onboarded(created)
  id = created.customer_id
  wait = created.status == 'ASSOCIATING' ? { prefer: 'wait=20' } : {}
  customers = Gateway::CustomersApi.new(CLIENT)
  budget = Gateway::SetBudget.new(amount: '500.00', unfreeze: true)
  freeze = Gateway::Freeze.new(reason: 'not paid')
  [
    created.status,
    customers.get_customer(id, wait).requirements,
    Gateway::BudgetsApi.new(CLIENT).set_budget(id, budget).amount,
    customers.get_customer(id).requirements,
    Gateway::FreezesApi.new(CLIENT).freeze_customer(id, freeze).frozen
  ]
end

# The client stores the lines in a temporary file.
def lines(file)
  count, first, last = 0, nil, nil
  File.foreach(file.path) do |line|
    count, first, last = count + 1, first || line, line
  end
  file.delete
  { count: count, first: first, last: last }
end

def heard(status, headers)
  { http: status, location: headers['Location'], retry_after: headers['Retry-After'] }
end

def refused(error)
  # Of a download the client gives no refusal's body.
  return heard(error.code, error.response_headers).merge(no_body: true) if error.response_body.empty?

  problem = Gateway::Problem.build_from_hash(JSON.parse(error.response_body, symbolize_names: true))
  heard(error.code, error.response_headers).merge(
    code: problem.code,
    retry: problem._retry,
    fault: problem.fault,
    pointers: problem.errors.to_a.map(&:pointer),
    upstream_code: problem.upstream&.code,
    retry_after_s: problem.retry_after_s,
    text: error.full_message
  )
end

def read(answer)
  case answer
  when Gateway::Attachment then { attachment: answer.attachment }
  when Gateway::CreatedCustomer then { said: onboarded(answer) }
  when Gateway::Orders
    { orders: answer.items.map(&:order_id), next: answer._next, total: answer.total }
  when Tempfile then lines(answer)
  else
    {
      status: answer.status,
      final: answer.final,
      year: answer.checked_at.year,
      reason: answer.rejection&.reason,
      accepted: answer.accepted,
      takers: answer.backends.to_a.select(&:accepted).map(&:backend)
    }
  end
end

def outcome(step)
  answer, status, headers = call(step)
  seen = heard(status, headers)
  seen.merge(read(answer))
rescue Gateway::ApiError => e
  refused(e)
end

JSON.parse($stdin.read).each { |step| puts JSON.generate(outcome(step)) }
