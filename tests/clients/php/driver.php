<?php

// Drives the PHP client that openapi-generator generates: steps in, what came of them out.

use GuzzleHttp\Client;
use OpenAPI\Client as Gateway;
use OpenAPI\Client\Model;

[, $library, $url, $key] = $argv;
set_error_handler(fn(...$warning) => throw new ErrorException($warning[1]));
require 'GuzzleHttp/autoload.php';
spl_autoload_register(function (string $class) use ($library) {
    require $library . strtr(substr($class, strlen('OpenAPI\Client')), '\\', '/') . '.php';
});

/** A client sends the content of a stream, not the stream's path. */
function stream(string $content): SplFileObject
{
    $file = new SplTempFileObject();
    $file->fwrite(hex2bin($content));
    $file->rewind();
    return $file;
}

function call(Gateway\Configuration $config, array $step): array
{
    if ($step['do'] === 'upload') {
        return (new Gateway\Api\AttachmentsApi(new Client(), $config))
            ->uploadAttachmentWithHttpInfo($step['customer'], $step['name'], stream($step['content']));
    }
    if ($step['do'] === 'onboard') {
        $body = (new Model\CreateCustomer())->setPartnerUserId($step['customer'])->setCountry('SG');
        return (new Gateway\Api\CustomersApi(new Client(), $config))
            ->createCustomerWithHttpInfo($step['key'], $body);
    }
    if ($step['do'] === 'orders') {
        return (new Gateway\Api\OrdersApi(new Client(), $config))
            ->listOrdersWithHttpInfo(limit: 2, customer_id: $step['customer']);
    }
    if ($step['do'] === 'lines') {
        return (new Gateway\Api\BillLinesApi(new Client(), $config))
            ->getPartnerBillLinesWithHttpInfo($step['month'], $step['customer']);
    }
    if ($step['do'] === 'read') {
        return (new Gateway\Api\VerificationApi(new Client(), $config))
            ->getVerificationWithHttpInfo($step['customer'], prefer: 'wait=20');
    }
    $person = (new Model\Individual())
        ->setFullName($step['full_name'])
        ->setDocument(
            (new Model\IndividualDocument())
                ->setNumber($step['number'])
                ->setType(Model\IndividualDocumentType::PASSPORT)
        )
        ->setPartnerUserId('shop-1')
        ->setAttachments(["{$step['customer']}/1.jpg", "{$step['customer']}/2.jpg"]);
    return (new Gateway\Api\SubmissionsApi(new Client(), $config))
        ->submitIndividualVerificationWithHttpInfo(
            $step['customer'],
            $person,
            prefer: 'wait=5',
            validate_only: $step['do'] === 'check'
        );
}

/** What the answers of the onboarding loop say, from the creation to the freeze. */
function onboarded(Gateway\Configuration $config, Model\CreatedCustomer $created): array
{
    $id = $created->getCustomerId();
    $wait = $created->getStatus() === 'ASSOCIATING' ? 'wait=20' : null;
    $customers = new Gateway\Api\CustomersApi(new Client(), $config);
    $budgets = new Gateway\Api\BudgetsApi(new Client(), $config);
    $freezes = new Gateway\Api\FreezesApi(new Client(), $config);
    $budget = (new Model\SetBudget())->setAmount('500.00')->setUnfreeze(true);
    return [
        $created->getStatus(),
        $customers->getCustomer($id, prefer: $wait)->getRequirements(),
        $budgets->setBudget($id, $budget)->getAmount(),
        $customers->getCustomer($id)->getRequirements(),
        $freezes->freezeCustomer($id, (new Model\Freeze())->setReason('not paid'))->getFrozen(),
    ];
}

/** The client stores the lines in a temporary file. */
function lines(SplFileObject $file): array
{
    [$count, $first, $last] = [0, '', ''];
    foreach ($file as $line) {
        if ($line !== '') {
            [$count, $first, $last] = [$count + 1, $first ?: $line, $line];
        }
    }
    unlink($file->getPathname());
    return ['count' => $count, 'first' => $first, 'last' => $last];
}

function heard(int $status, array $headers): array
{
    return [
        'http' => $status,
        'location' => $headers['Location'][0] ?? null,
        'retry_after' => $headers['Retry-After'][0] ?? null,
    ];
}

function outcome(Gateway\Configuration $config, array $step): array
{
    try {
        [$answer, $status, $headers] = call($config, $step);
    } catch (Gateway\ApiException $error) {
        $problem = $error->getResponseObject();
        return heard($error->getCode(), $error->getResponseHeaders()) + [
            'code' => $problem->getCode(),
            'retry' => $problem->getRetry(),
            'fault' => $problem->getFault(),
            'pointers' => array_map(fn($one) => $one->getPointer(), $problem->getErrors() ?? []),
            'upstream_code' => $problem->getUpstream()?->getCode(),
            'retry_after_s' => $problem->getRetryAfterS(),
            'text' => (string) $error,
        ];
    }
    if ($answer instanceof Model\Attachment) {
        return heard($status, $headers) + ['attachment' => $answer->getAttachment()];
    }
    if ($answer instanceof Model\CreatedCustomer) {
        return heard($status, $headers) + ['said' => onboarded($config, $answer)];
    }
    if ($answer instanceof Model\Orders) {
        return heard($status, $headers) + [
            'orders' => array_map(fn($one) => $one->getOrderId(), $answer->getItems()),
            'next' => $answer->getNext(),
            'total' => $answer->getTotal(),
        ];
    }
    if ($answer instanceof SplFileObject) {
        return heard($status, $headers) + lines($answer);
    }
    $takers = array_filter($answer->getBackends() ?? [], fn($one) => $one->getAccepted());
    return heard($status, $headers) + [
        'status' => $answer->getStatus(),
        'final' => $answer->getFinal(),
        'year' => (int) $answer->getCheckedAt()->format('Y'),
        'reason' => $answer->getRejection()?->getReason(),
        'accepted' => $answer->getAccepted(),
        'takers' => array_map(fn($one) => $one->getBackend(), array_values($takers)),
    ];
}

$config = (new Gateway\Configuration())->setHost($url)->setAccessToken($key);
foreach (json_decode(stream_get_contents(STDIN), true) as $step) {
    echo json_encode(outcome($config, $step)), "\n";
}
