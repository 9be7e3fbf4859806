// Drives the Kotlin client that openapi-generator generates: steps in, what came of them out.

import com.google.gson.reflect.TypeToken
import java.io.File
import java.util.HexFormat
import org.openapitools.client.apis.AttachmentsApi
import org.openapitools.client.apis.SubmissionsApi
import org.openapitools.client.apis.VerificationApi
import org.openapitools.client.infrastructure.ApiClient
import org.openapitools.client.infrastructure.ApiResponse
import org.openapitools.client.infrastructure.ClientError
import org.openapitools.client.infrastructure.Serializer
import org.openapitools.client.infrastructure.ServerError
import org.openapitools.client.infrastructure.Success
import org.openapitools.client.models.Attachment
import org.openapitools.client.models.Individual
import org.openapitools.client.models.IndividualDocument
import org.openapitools.client.models.IndividualDocumentType
import org.openapitools.client.models.Problem
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

fun outcome(answer: ApiResponse<*>): Map<String, Any?> {
    val seen =
        when (answer) {
            is ClientError -> refused(answer.body)
            is ServerError -> refused(answer.body)
            is Success ->
                when (val data = answer.data) {
                    is Attachment -> mapOf("attachment" to data.attachment)
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
    for (step in steps) println(Serializer.gson.toJson(outcome(call(url, step))))
}
