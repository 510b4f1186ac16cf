/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What no program should do is answered with an error and never with a crash. */
#include "check.h"

/* Volatile, so that the compiler does not see what it would rightly warn of. */
static evl_reactor *volatile no_reactor;
static evl_server *volatile no_server;
static evl_request *volatile no_request;
static evl_response *volatile no_response;
static evl_event *volatile no_event;
static const char *volatile no_text;
static evl_counters *volatile no_counters;
static evl_handler_fn volatile no_handler;

static int handler(const evl_request *request, evl_response *response, void *udata)
{
    (void)request, (void)response, (void)udata;
    return EVL_ANSWERED;
}

static void null_objects(void)
{
    evl_event event;
    char text[8];
    memset(&event, 0, sizeof event);

    CHECK(evl_add(no_reactor, &event) == -EFAULT);
    CHECK(evl_delete(no_reactor, 1, EVL_READ) == -EFAULT);
    CHECK(evl_change(no_reactor, NULL, 0, NULL, 0) == -EFAULT);
    CHECK(evl_wait(no_reactor, &event, 1, 0) == -EFAULT);
    CHECK(evl_trigger(no_reactor, 1) == -EFAULT);
    CHECK(evl_fd(no_reactor) == -EFAULT);
    CHECK(evl_backend(no_reactor)[0] == '\0');
    evl_close(no_reactor);

    CHECK(evl_server_load(no_server, "x") == -EFAULT);
    CHECK(evl_server_listen(no_server, "127.0.0.1:0") == -EFAULT);
    CHECK(evl_server_address(no_server, 0, text, sizeof text) == -EFAULT);
    CHECK(evl_server_static(no_server, "/", ".") == -EFAULT);
    CHECK(evl_server_route(no_server, "GET", "/", handler, NULL, NULL) == -EFAULT);
    CHECK(evl_server_start(no_server) == -EFAULT);
    CHECK(evl_server_workers(no_server) == -EFAULT);
    CHECK(evl_server_counters(no_server, 0, no_counters) == -EFAULT);
    CHECK(evl_server_work(no_server, 0) == -EFAULT);
    CHECK(evl_server_run(no_server) == -EFAULT);
    CHECK(evl_server_stop(no_server, 0) == -EFAULT);
    evl_server_free(no_server);

    CHECK(evl_request_method(no_request).ptr == NULL);
    CHECK(evl_request_target(no_request).ptr == NULL);
    CHECK(evl_request_path(no_request).ptr == NULL);
    CHECK(evl_request_query(no_request).ptr == NULL);
    CHECK(evl_request_header(no_request, "Host").ptr == NULL);
    CHECK(evl_request_header_at(no_request, 0).name.ptr == NULL);
    CHECK(evl_request_body(no_request).ptr == NULL);
    CHECK(evl_request_param(no_request, "id").ptr == NULL);
    CHECK(evl_request_peer(no_request).ptr == NULL);
    CHECK(evl_respond(no_response, 200, NULL, NULL, 0) == -EFAULT);
    CHECK(evl_response_status(no_response, 200) == -EFAULT);
    CHECK(evl_response_header(no_response, "A", "b") == -EFAULT);
    CHECK(evl_response_write(no_response, "x", 1) == -EFAULT);
}

static void wrong_arguments_of_a_reactor(void)
{
    evl_event events[2];
    evl_reactor *reactor = evl_create(NULL);
    REQUIRE(reactor != NULL);
    memset(events, 0, sizeof events);

    CHECK(evl_add(reactor, no_event) == -EFAULT);
    CHECK(evl_change(reactor, no_event, 1, events, 2) == -EFAULT);
    CHECK(evl_change(reactor, events, 1, no_event, 1) == -EFAULT);
    CHECK(evl_change(reactor, events, SIZE_MAX, NULL, 0) == -EINVAL);
    CHECK(evl_wait(reactor, no_event, 1, 0) == -EFAULT);
    CHECK(evl_wait(reactor, no_event, 0, -1) == 0);
    CHECK(evl_wait(reactor, events, 2, -2) == -EINVAL);
    CHECK(evl_wait(reactor, events, 2, INT64_MIN) == -EINVAL);
    CHECK(evl_wait(reactor, events, SIZE_MAX, 0) == 0);
    CHECK(evl_delete(reactor, 1, 70000) == -EINVAL);
    CHECK(evl_add(reactor, events) == -EINVAL);
    evl_close(reactor);
}

static void wrong_options(void)
{
    evl_options options;
    struct {
        evl_options known;
        long unknown;
    } newer;

    memset(&options, 0, sizeof options);
    CHECK(evl_create(&options) == NULL && evl_last_error_code() == -EINVAL);
    options.size = (size_t)-1;
    CHECK(evl_create(&options) == NULL && evl_last_error_code() == -E2BIG);
    options.size = sizeof options;
    options.backend = "abacus";
    CHECK(evl_create(&options) == NULL && evl_last_error_code() == -EINVAL);
    CHECK(strstr(evl_last_error(), "abacus") != NULL);

    memset(&newer, 0, sizeof newer);
    newer.known.size = sizeof newer;
    newer.known.backend = "poll";
    {
        evl_reactor *reactor = evl_create(&newer.known);
        REQUIRE(reactor != NULL);
        CHECK(strcmp(evl_backend(reactor), "poll") == 0);
        evl_close(reactor);
    }
    newer.unknown = 1;
    CHECK(evl_create(&newer.known) == NULL && evl_last_error_code() == -E2BIG);
}

static void wrong_arguments_of_a_server(void)
{
    char text[4];
    evl_server *server = evl_server_create(NULL);
    REQUIRE(server != NULL);

    CHECK(evl_server_load(server, no_text) == -EFAULT);
    CHECK(evl_server_load(server, "no/such/file.conf") < 0);
    CHECK(strstr(evl_last_error(), "no/such/file.conf") != NULL);
    CHECK(evl_server_listen(server, no_text) == -EFAULT);
    CHECK(evl_server_listen(server, "nowhere at all") == -EINVAL);
    CHECK(evl_server_listen(server, "127.0.0.1:99999") == -EINVAL);
    CHECK(evl_server_listen(server, "\xff") == -EINVAL);
    CHECK(evl_server_static(server, "/", "no/such/directory") < 0);
    CHECK(evl_server_route(server, "GET", "/", no_handler, NULL, NULL) == -EFAULT);
    CHECK(evl_server_route(server, "GET", no_text, handler, NULL, NULL) == -EFAULT);
    CHECK(evl_server_route(server, "GET", "/{", handler, NULL, NULL) == -EINVAL);
    CHECK(evl_server_address(server, 0, text, sizeof text) == -ENOENT);
    CHECK(evl_server_stop(server, -1) == -EINVAL);
    CHECK(evl_server_start(server) == EVL_ESTATE);
    CHECK(evl_server_work(server, 0) == EVL_ESTATE);

    REQUIRE(evl_server_listen(server, "127.0.0.1:0") == 0);
    CHECK(evl_server_address(server, 0, text, sizeof text) == -ERANGE);
    CHECK(evl_server_address(server, 0, NULL, 100) == -EFAULT);
    CHECK(evl_server_address(server, 1, text, sizeof text) == -ENOENT);
    REQUIRE(evl_server_start(server) == 0);
    CHECK(evl_server_start(server) == EVL_ESTATE);
    CHECK(evl_server_listen(server, "127.0.0.1:0") == EVL_ESTATE);
    CHECK(evl_server_route(server, "GET", "/", handler, NULL, NULL) == EVL_ESTATE);
    CHECK(evl_server_work(server, 0) == EVL_ESTATE);
    CHECK(evl_server_stop(server, 0) == 0);
    CHECK(evl_server_start(server) == EVL_ESTATE);
    evl_server_free(server);
}

int main(void)
{
    null_objects();
    wrong_arguments_of_a_reactor();
    wrong_options();
    wrong_arguments_of_a_server();
    return failures != 0;
}
