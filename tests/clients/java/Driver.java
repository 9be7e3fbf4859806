import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.nio.file.Files;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.ApiResponse;
import org.openapitools.client.api.BillLinesApi;
import org.openapitools.client.api.BudgetsApi;
import org.openapitools.client.api.CustomersApi;
import org.openapitools.client.api.FreezesApi;
import org.openapitools.client.api.OrdersApi;
import org.openapitools.client.api.SubmissionsApi;
import org.openapitools.client.api.VerificationApi;
import org.openapitools.client.model.BackendCheck;
import org.openapitools.client.model.CreateCustomer;
import org.openapitools.client.model.CreatedCustomer;
import org.openapitools.client.model.FieldError;
import org.openapitools.client.model.Freeze;
import org.openapitools.client.model.Individual;
import org.openapitools.client.model.IndividualDocument;
import org.openapitools.client.model.IndividualDocumentType;
import org.openapitools.client.model.Order;
import org.openapitools.client.model.Orders;
import org.openapitools.client.model.Problem;
import org.openapitools.client.model.SetBudget;
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
    if (step.get("do").equals("onboard")) {
      CreateCustomer body = new CreateCustomer().partnerUserId(customer).country("SG");
      return onboarded(
          new CustomersApi(client)
              .createCustomerWithHttpInfo(step.get("key"), body, null, null, null));
    }
    if (step.get("do").equals("orders")) {
      return page(
          new OrdersApi(client)
              .listOrdersWithHttpInfo(2, null, customer, null, null, null, null, null));
    }
    if (step.get("do").equals("lines")) {
      return lines(
          new BillLinesApi(client)
              .getPartnerBillLinesWithHttpInfo(step.get("month"), customer, null, null));
    }
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

  private Map<String, Object> onboarded(ApiResponse<CreatedCustomer> answer) throws Exception {
    CreatedCustomer created = answer.getData();
    String id = created.getCustomerId();
    String wait = created.getStatus().equals("ASSOCIATING") ? "wait=20" : null;
    CustomersApi customers = new CustomersApi(client);
    SetBudget budget = new SetBudget().amount("500.00").unfreeze(true);
    Map<String, Object> seen = heard(answer);
    seen.put(
        "said",
        List.of(
            created.getStatus(),
            customers.getCustomer(id, wait, null, null).getRequirements(),
            new BudgetsApi(client).setBudget(id, budget, null, null, null, null).getAmount(),
            customers.getCustomer(id, null, null, null).getRequirements(),
            new FreezesApi(client)
                .freezeCustomer(id, new Freeze().reason("not paid"), null, null, null, null)
                .getFrozen()));
    return seen;
  }

  private static Map<String, Object> page(ApiResponse<Orders> answer) {
    Orders orders = answer.getData();
    Map<String, Object> seen = heard(answer);
    seen.put("orders", orders.getItems().stream().map(Order::getOrderId).toList());
    seen.put("next", orders.getNext());
    seen.put("total", orders.getTotal());
    return seen;
  }

  private static Map<String, Object> lines(ApiResponse<File> answer) throws Exception {
    Map<String, Object> seen = heard(answer);
    int count = 0;
    try (var lines = Files.lines(answer.getData().toPath())) {
      for (Iterator<String> each = lines.iterator(); each.hasNext(); count++) {
        seen.put("last", each.next());
        seen.putIfAbsent("first", seen.get("last"));
      }
    }
    seen.put("count", count);
    return seen;
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
