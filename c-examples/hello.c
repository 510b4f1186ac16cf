/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Answers "Hello, World!" on every processor: hello [port] */
#include <evl.h>
#include <stdio.h>

static int hello(const evl_request *request, evl_response *response, void *udata)
{
    (void)request, (void)udata;
    return evl_respond(response, 200, "text/plain", "Hello, World!", 13);
}

int main(int argc, char **argv)
{
    char address[64];
    int failed;
    evl_server *server = evl_server_create(NULL);

    snprintf(address, sizeof address, "127.0.0.1:%s", argc > 1 ? argv[1] : "8080");
    failed = server == NULL || evl_server_listen(server, address) < 0 ||
             evl_server_route(server, "GET", "/", hello, NULL, NULL) < 0 ||
             evl_server_route(server, "GET", "/hello", hello, NULL, NULL) < 0 ||
             evl_server_run(server) < 0;
    if (failed)
        fprintf(stderr, "hello: %s\n", evl_last_error());
    evl_server_free(server);
    return failed;
}
