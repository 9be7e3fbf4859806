import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.SubmissionsApi;
import org.openapitools.client.api.VerificationApi;
import org.openapitools.client.model.BackendCheck;
import org.openapitools.client.model.FieldError;
import org.openapitools.client.model.Individual;
import org.openapitools.client.model.IndividualDocument;
import org.openapitools.client.model.IndividualDocumentType;
import org.openapitools.client.model.Problem;
import org.openapitools.client.model.Verification;

/** Drives the Java client that openapi-generator generates: steps in, what came of them out. */
public class Driver {
  private static final ObjectMapper MAPPER = ApiClient.createDefaultObjectMapper();

  private final ApiClient client = new ApiClient();

  Driver(String url, String key) {
    client.updateBaseUri(url);
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + key));
  }

  private Map<String, Object> call(Map<String, String> step) throws Exception {
    String customer = step.get("customer");
    if (step.get("do").equals("read")) {
      return stands(
          new VerificationApi(client)
              .getVerificationWithHttpInfo(customer, "wait=20", null, null));
    }
    Individual person =
        new Individual()
            .fullName(step.get("full_name"))
            .document(
                new IndividualDocument()
                    .number(step.get("number"))
                    .type(IndividualDocumentType.PASSPORT))
            .partnerUserId("shop-1")
            .attachments(List.of(customer + "/1.jpg", customer + "/2.jpg"));
    return stands(
        new SubmissionsApi(client)
            .submitIndividualVerificationWithHttpInfo(
                customer, person, step.get("do").equals("check"), null, "wait=5", null, null));
  }

  private static Map<String, Object> heard(ApiResponse<?> answer) {
    Map<String, Object> seen = new LinkedHashMap<>();
    seen.put("http", answer.getStatusCode());
    answer
        .getHeaders()
        .forEach((name, values) -> seen.put(name.replace('-', '_'), values.get(0)));
    return seen;
  }

  private static Map<String, Object> stands(ApiResponse<Verification> answer) {
    Map<String, Object> seen = heard(answer);
    Verification verification = answer.getData();
    seen.put("status", verification.getStatus());
    seen.put("final", verification.getFinal());
    seen.put("year", verification.getCheckedAt().getYear());
    seen.put("accepted", verification.getAccepted());
    if (verification.getRejection() != null) {
      seen.put("reason", verification.getRejection().getReason());
    }
    if (verification.getBackends() != null) {
      seen.put(
          "takers",
          verification.getBackends().stream()
              .filter(BackendCheck::getAccepted)
              .map(BackendCheck::getBackend)
              .toList());
    }
    return seen;
  }

  private static Map<String, Object> refused(ApiException failure) throws Exception {
    Problem problem = MAPPER.readValue(failure.getResponseBody(), Problem.class);
    Map<String, Object> seen = new LinkedHashMap<>();
    seen.put("http", failure.getCode());
    failure
        .getResponseHeaders()
        .firstValue("Retry-After")
        .ifPresent(seconds -> seen.put("retry_after", seconds));
    seen.put("code", problem.getCode());
    seen.put("retry", problem.getRetry());
    seen.put("fault", problem.getFault());
    seen.put("retry_after_s", problem.getRetryAfterS());
    seen.put("text", failure.toString());
    if (problem.getErrors() != null) {
      seen.put("pointers", problem.getErrors().stream().map(FieldError::getPointer).toList());
    }
    if (problem.getUpstream() != null) {
      seen.put("upstream_code", problem.getUpstream().getCode());
    }
    return seen;
  }

  public static void main(String[] arguments) throws Exception {
    Driver driver = new Driver(arguments[0], arguments[1]);
    List<Map<String, String>> steps = MAPPER.readValue(System.in, new TypeReference<>() {});
    for (Map<String, String> step : steps) {
      Map<String, Object> seen;
      try {
        seen = driver.call(step);
      } catch (ApiException failure) {
        seen = refused(failure);
      }
      System.out.println(MAPPER.writeValueAsString(seen));
    }
  }
}
