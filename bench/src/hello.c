/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* evl under load: one worker, C handlers, no limit of requests per connection: port */
#include <evl.h>
#include <stdio.h>

static int hello(const evl_request *request, evl_response *response, void *udata)
{
    (void)request, (void)udata;
    return evl_respond(response, 200, "text/plain", "Hello, World!", 13);
}

static int echo(const evl_request *request, evl_response *response, void *udata)
{
    evl_slice body = evl_request_body(request);
    (void)udata;
    return evl_respond(response, 200, "text/plain", body.ptr, body.len);
}

int main(int argc, char **argv)
{
    evl_server_options options = {.size = sizeof options, .workers = 1, .keepalive_requests = UINT64_MAX,
                                  .keepalive_timeout_ms = 600000};
    evl_server *server = evl_server_create(&options);
    char address[32];
    int failed;

    snprintf(address, sizeof address, "127.0.0.1:%s", argc > 1 ? argv[1] : "0");
    failed = server == NULL || evl_server_listen(server, address) < 0 ||
             evl_server_route(server, "GET", "/hello", hello, NULL, NULL) < 0 ||
             evl_server_route(server, "POST", "/echo", echo, NULL, NULL) < 0 ||
             evl_server_run(server) < 0;
    if (failed)
        fprintf(stderr, "hello: %s\n", evl_last_error());
    evl_server_free(server);
    return failed;
}
