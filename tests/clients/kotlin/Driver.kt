// Drives the Kotlin client that openapi-generator generates: steps in, what came of them out.

import com.google.gson.reflect.TypeToken
import java.io.File
import java.util.HexFormat
import org.openapitools.client.apis.AttachmentsApi
import org.openapitools.client.apis.BillLinesApi
import org.openapitools.client.apis.BudgetsApi
import org.openapitools.client.apis.CustomersApi
import org.openapitools.client.apis.FreezesApi
import org.openapitools.client.apis.OrdersApi
import org.openapitools.client.apis.SubmissionsApi
import org.openapitools.client.apis.VerificationApi
import org.openapitools.client.infrastructure.ApiClient
import org.openapitools.client.infrastructure.ApiResponse
import org.openapitools.client.infrastructure.ClientError
import org.openapitools.client.infrastructure.Serializer
import org.openapitools.client.infrastructure.ServerError
import org.openapitools.client.infrastructure.Success
import org.openapitools.client.models.Attachment
import org.openapitools.client.models.CreateCustomer
import org.openapitools.client.models.CreatedCustomer
import org.openapitools.client.models.Freeze
import org.openapitools.client.models.Individual
import org.openapitools.client.models.IndividualDocument
import org.openapitools.client.models.IndividualDocumentType
import org.openapitools.client.models.Orders
import org.openapitools.client.models.Problem
import org.openapitools.client.models.SetBudget
import org.openapitools.client.models.Verification

typealias Step = Map<String, String>

fun file(content: String) =
    File.createTempFile("attachment-", null).apply {
        deleteOnExit()
        writeBytes(HexFormat.of().parseHex(content))
    }

fun call(url: String, step: Step): ApiResponse<*> {
    val customer = step.getValue("customer")
    return when (step["do"]) {
        "upload" ->
            AttachmentsApi(url).uploadAttachmentWithHttpInfo(
                customer, step.getValue("name"), file(step.getValue("content")), null, null)
        "onboard" ->
            CustomersApi(url).createCustomerWithHttpInfo(
                step.getValue("key"), CreateCustomer("SG", customer), null, null, null)
        "orders" ->
            OrdersApi(url).listOrdersWithHttpInfo(
                2, null, customer, null, null, null, null, null)
        "lines" ->
            BillLinesApi(url).getPartnerBillLinesWithHttpInfo(
                step.getValue("month"), customer, null, null)
        "read" ->
            VerificationApi(url).getVerificationWithHttpInfo(customer, "wait=20", null, null)
        else ->
            SubmissionsApi(url).submitIndividualVerificationWithHttpInfo(
                customer,
                Individual(
                    fullName = step.getValue("full_name"),
                    document = IndividualDocument(
                        number = step.getValue("number"), type = IndividualDocumentType.PASSPORT),
                    partnerUserId = "shop-1",
                    attachments = listOf("$customer/1.jpg", "$customer/2.jpg")),
                validateOnly = step["do"] == "check",
                idempotencyKey = null,
                prefer = "wait=5",
                partnerAccount = null,
                xRequestId = null)
    }
}

fun refused(body: Any?): Map<String, Any?> {
    val problem = Serializer.gson.fromJson(body as String, Problem::class.java)
    return mapOf(
        "code" to problem.code,
        "retry" to problem.retry,
        "fault" to problem.fault,
        "pointers" to problem.errors?.map { it.pointer },
        "upstream_code" to problem.upstream?.code,
        "retry_after_s" to problem.retryAfterS)
}

fun stands(answer: Verification) =
    mapOf(
        "status" to answer.status,
        "final" to answer.final,
        "year" to answer.checkedAt.year,
        "reason" to answer.rejection?.reason,
        "accepted" to answer.accepted,
        "takers" to answer.backends?.filter { it.accepted }?.map { it.backend })

/** What the answers of the onboarding loop say, from the creation to the freeze. */
fun onboarded(url: String, created: CreatedCustomer): List<Any?> {
    val id = created.customerId
    val wait = if (created.status == "ASSOCIATING") "wait=20" else null
    return listOf(
        created.status,
        CustomersApi(url).getCustomer(id, wait).requirements,
        BudgetsApi(url).setBudget(id, SetBudget("500.00", unfreeze = true)).amount,
        CustomersApi(url).getCustomer(id).requirements,
        FreezesApi(url).freezeCustomer(id, Freeze("not paid")).frozen)
}

/** The client stores the lines in a temporary file. */
fun lines(file: File): Map<String, Any?> {
    var count = 0
    var first: String? = null
    var last: String? = null
    file.forEachLine {
        count += 1
        first = first ?: it
        last = it
    }
    file.delete()
    return mapOf("count" to count, "first" to first, "last" to last)
}

fun outcome(url: String, answer: ApiResponse<*>): Map<String, Any?> {
    val seen =
        when (answer) {
            is ClientError -> refused(answer.body)
            is ServerError -> refused(answer.body)
            is Success ->
                when (val data = answer.data) {
                    is Attachment -> mapOf("attachment" to data.attachment)
                    is CreatedCustomer -> mapOf("said" to onboarded(url, data))
                    is Orders ->
                        mapOf(
                            "orders" to data.items.map { it.orderId },
                            "next" to data.next,
                            "total" to data.total)
                    is File -> lines(data)
                    else -> stands(data as Verification)
                }
            else -> error(answer)
        }
    return seen + mapOf(
        "http" to answer.statusCode,
        "location" to answer.headers["location"]?.first(),
        "retry_after" to answer.headers["retry-after"]?.first())
}

fun main(arguments: Array<String>) {
    val (url, key) = arguments
    ApiClient.accessToken = key
    val steps = Serializer.gson.fromJson(System.`in`.reader(), object : TypeToken<List<Step>>() {})
    for (step in steps) println(Serializer.gson.toJson(outcome(url, call(url, step))))
}
