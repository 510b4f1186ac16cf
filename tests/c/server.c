/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A server from C: what handlers can read and answer, and the life of what they are given. */
#include "check.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

static char answer[65536];

/* Sends one request and reads until the server closes; the answer is in `answer`. */
static const char *ask(evl_server *server, const char *request)
{
    char address[64];
    const char *port;
    struct sockaddr_in peer;
    size_t length = 0;
    ssize_t n;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    REQUIRE(evl_server_address(server, 0, address, sizeof address) > 0);
    port = strrchr(address, ':') + 1;
    memset(&peer, 0, sizeof peer);
    peer.sin_family = AF_INET;
    peer.sin_port = htons((uint16_t)atoi(port));
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(fd, (struct sockaddr *)&peer, sizeof peer) == 0);
    REQUIRE(write(fd, request, strlen(request)) == (ssize_t)strlen(request));
    while ((n = read(fd, answer + length, sizeof answer - 1 - length)) > 0)
        length += (size_t)n;
    answer[length] = '\0';
    close(fd);
    return answer;
}

static int begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void put(evl_response *response, evl_slice slice)
{
    CHECK(evl_response_write(response, slice.ptr, slice.len) == 0);
    CHECK(evl_response_write(response, "|", 1) == 0);
}

static int tell_all(const evl_request *request, evl_response *response, void *udata)
{
    size_t count = 0;
    while (evl_request_header_at(request, count).name.ptr != NULL)
        count++;
    CHECK(count == 4);
    CHECK(evl_request_header(request, "X-None").ptr == NULL);
    CHECK(evl_request_header(request, "x-EMPTY").ptr != NULL);
    CHECK(evl_request_header(request, "x-empty").len == 0);
    CHECK(evl_request_param(request, "none").ptr == NULL);
    CHECK(begins(evl_request_peer(request).ptr, "127.0.0.1:"));
    CHECK(strcmp((const char *)udata, "udata") == 0);

    CHECK(evl_response_status(response, 201) == 0);
    CHECK(evl_response_status(response, 99) == -EINVAL);
    CHECK(evl_response_status(response, 70000) == -EINVAL);
    CHECK(evl_response_header(response, "X-Kind", "test") == 0);
    CHECK(evl_response_header(response, "Bad Name", "x") == -EINVAL);
    CHECK(evl_response_header(response, "X-Split", "a\r\nB: c") == -EINVAL);
    CHECK(evl_response_header(response, "Content-Length", "5") == -EINVAL);
    put(response, evl_request_method(request));
    put(response, evl_request_target(request));
    put(response, evl_request_path(request));
    put(response, evl_request_query(request));
    put(response, evl_request_header(request, "host"));
    put(response, evl_request_header_at(request, 0).name);
    put(response, evl_request_param(request, "id"));
    put(response, evl_request_body(request));
    return EVL_ANSWERED;
}

static int decline(const evl_request *request, evl_response *response, void *udata)
{
    (void)request, (void)response, (void)udata;
    return EVL_DECLINED;
}

static int break_down(const evl_request *request, evl_response *response, void *udata)
{
    (void)request, (void)udata;
    CHECK(evl_response_write(response, "half an ans", 11) == 0);
    return -EIO;
}

static int no_query(const evl_request *request, evl_response *response, void *udata)
{
    (void)udata;
    CHECK(evl_request_query(request).ptr == NULL && evl_request_body(request).len == 0);
    return evl_respond(response, 200, "text/plain", "short", 5);
}

static int freed;

static void count_freed(void *udata)
{
    (void)udata;
    freed++;
}

static void add_routes(evl_server *server)
{
    static char text[] = "udata";
    REQUIRE(evl_server_route(server, "POST", "/tell/{id}", tell_all, text, count_freed) == 0);
    REQUIRE(evl_server_route(server, "GET", "/decline", decline, text, count_freed) == 0);
    REQUIRE(evl_server_route(server, "*", "/break", break_down, NULL, NULL) == 0);
    REQUIRE(evl_server_route(server, "GET", "/short", no_query, NULL, NULL) == 0);
    CHECK(evl_server_route(server, "GET", "/{", no_query, text, count_freed) == -EINVAL);
    CHECK(freed == 0);
}

static void ask_everything(evl_server *server)
{
    ask(server, "POST /tell/a%20b?x=1 HTTP/1.1\r\nHost: me\r\nConnection: close\r\nX-Empty:\r\n"
                "Content-Length: 4\r\n\r\nbody");
    CHECK(begins(answer, "HTTP/1.1 201 "));
    CHECK(strstr(answer, "\r\nX-Kind: test\r\n") != NULL);
    CHECK(strstr(answer, "\r\n\r\nPOST|/tell/a%20b?x=1|/tell/a b|x=1|me|Host|a b|body|") != NULL);

    ask(server, "GET /short HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n");
    CHECK(begins(answer, "HTTP/1.1 200 ") && strstr(answer, "\r\n\r\nshort") != NULL);
    CHECK(strstr(answer, "\r\nContent-Type: text/plain\r\n") != NULL);
    CHECK(strstr(answer, "\r\nContent-Length: 5\r\n") != NULL);

    ask(server, "HEAD /short HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n");
    CHECK(begins(answer, "HTTP/1.1 200 ") && strstr(answer, "\r\n\r\nshort") == NULL);

    ask(server, "PUT /short HTTP/1.1\r\nHost: me\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    CHECK(begins(answer, "HTTP/1.1 405 ") && strstr(answer, "\r\nAllow: ") != NULL);

    ask(server, "GET /decline HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n");
    CHECK(begins(answer, "HTTP/1.1 404 "));

    ask(server, "GET /break HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n");
    CHECK(begins(answer, "HTTP/1.1 500 ") && strstr(answer, "half an ans") == NULL);
}

/* Two connections, which two workers have had in turn. */
static void tells_what_each_worker_did(const evl_server *server)
{
    evl_counters counters;
    size_t worker;
    for (worker = 0; worker < 2; worker++) {
        memset(&counters, 0xff, sizeof counters);
        counters.size = sizeof counters;
        CHECK(evl_server_counters(server, worker, &counters) == 0);
        CHECK(counters.size == sizeof counters);
        CHECK(counters.accepted == 1 && counters.open == 0 && counters.requests == 1);
        CHECK(counters.shed == 0 && counters.turns > 0);
    }
    CHECK(evl_server_counters(server, 2, &counters) == -EINVAL);
    counters.size = 1;
    CHECK(evl_server_counters(server, 0, &counters) == -EINVAL);
    /* A caller of an older version, whose struct ends after the first counter. */
    counters.size = offsetof(evl_counters, open);
    counters.open = 77;
    CHECK(evl_server_counters(server, 0, &counters) == 0);
    CHECK(counters.accepted == 1 && counters.open == 77);
}

static void refuses_what_is_no_policy(void)
{
    evl_server_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.accept_policy = 3;
    CHECK(evl_server_create(&options) == NULL);
    CHECK(evl_last_error_code() == -EINVAL);
}

static void on_the_librarys_threads(void)
{
    evl_server_options options;
    evl_server *server;
    evl_counters counters;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.workers = 2;
    options.max_body_bytes = 3;
    options.accept_policy = EVL_ACCEPT_ROUND_ROBIN;
    options.worker_connections = 100;
    server = evl_server_create(&options);
    REQUIRE(server != NULL);
    CHECK(evl_server_workers(server) == EVL_ESTATE);
    counters.size = sizeof counters;
    CHECK(evl_server_counters(server, 0, &counters) == EVL_ESTATE);
    add_routes(server);
    REQUIRE(evl_server_listen(server, "127.0.0.1:0") == 0);
    REQUIRE(evl_server_start(server) == 0);
    CHECK(evl_server_workers(server) == 2);
    ask(server, "POST /tell/1 HTTP/1.1\r\nHost: me\r\nConnection: close\r\nContent-Length: 4\r\n\r\nbody");
    CHECK(begins(answer, "HTTP/1.1 413 "));
    ask(server, "GET /nothing HTTP/1.1\r\nHost: me\r\nConnection: close\r\n\r\n");
    CHECK(begins(answer, "HTTP/1.1 404 "));
    CHECK(evl_server_stop(server, 1000) == 0);
    tells_what_each_worker_did(server);
    evl_server_free(server);
    CHECK(freed == 2);
    freed = 0;
}

static void *work(void *server)
{
    CHECK(evl_server_work((evl_server *)server, 0) == 0);
    return NULL;
}

static void on_the_callers_thread(void)
{
    evl_server_options options;
    evl_server *server;
    pthread_t thread;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.workers = 1;
    options.caller_threads = 1;
    server = evl_server_create(&options);
    REQUIRE(server != NULL);
    add_routes(server);
    REQUIRE(evl_server_listen(server, "127.0.0.1:0") == 0);
    REQUIRE(evl_server_start(server) == 0);
    CHECK(evl_server_work(server, 1) == EVL_ESTATE);
    REQUIRE(pthread_create(&thread, NULL, work, server) == 0);
    ask_everything(server);
    CHECK(evl_server_stop(server, 1000) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    evl_server_free(server);
    CHECK(freed == 2);
    freed = 0;
}

static void freed_without_a_start(void)
{
    evl_server *server = evl_server_create(NULL);
    REQUIRE(server != NULL);
    add_routes(server);
    evl_server_free(server);
    CHECK(freed == 2);
    freed = 0;
}

int main(void)
{
    freed_without_a_start();
    refuses_what_is_no_policy();
    on_the_librarys_threads();
    on_the_callers_thread();
    return failures != 0;
}
