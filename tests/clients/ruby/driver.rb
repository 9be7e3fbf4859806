# Drives the Ruby client that openapi-generator generates: steps in, what came of them out.

require 'json'
require 'gateway'

CONFIG = Gateway::Configuration.new do |config|
  config.scheme, config.host = ARGV[0].split('://')
  config.access_token = ARGV[1]
end
CLIENT = Gateway::ApiClient.new(CONFIG)

def call(step)
  customer = step['customer']
  case step['do']
  when 'upload'
    # The client sends a String as it is; it writes any other object as JSON.
    Gateway::AttachmentsApi.new(CLIENT)
      .upload_attachment_with_http_info(customer, step['name'], [step['content']].pack('H*'))
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

def heard(status, headers)
  { http: status, location: headers['Location'], retry_after: headers['Retry-After'] }
end

def refused(error)
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

def outcome(step)
  answer, status, headers = call(step)
  seen = heard(status, headers)
  return seen.merge(attachment: answer.attachment) if answer.is_a?(Gateway::Attachment)

  seen.merge(
    status: answer.status,
    final: answer.final,
    year: answer.checked_at.year,
    reason: answer.rejection&.reason,
    accepted: answer.accepted,
    takers: answer.backends.to_a.select(&:accepted).map(&:backend)
  )
rescue Gateway::ApiError => e
  refused(e)
end

JSON.parse($stdin.read).each { |step| puts JSON.generate(outcome(step)) }
