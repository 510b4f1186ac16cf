// SPDX-License-Identifier: MIT OR Apache-2.0
/* libevent's evhttp under load: a fixed text, an echo, files: port folder */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static const char *folder;

static void reply(struct evhttp_request *request, const char *type)
{
    evhttp_add_header(evhttp_request_get_output_headers(request), "Content-Type", type);
    evhttp_send_reply(request, HTTP_OK, "OK", NULL);
}

static void hello(struct evhttp_request *request, void *udata)
{
    (void)udata;
    evbuffer_add_reference(evhttp_request_get_output_buffer(request), "Hello, World!", 13, NULL, NULL);
    reply(request, "text/plain");
}

static void echo(struct evhttp_request *request, void *udata)
{
    (void)udata;
    evbuffer_add_buffer(evhttp_request_get_output_buffer(request), evhttp_request_get_input_buffer(request));
    reply(request, "text/plain");
}

static void file(struct evhttp_request *request, void *udata)
{
    char path[4096];
    struct stat status;
    (void)udata;
    snprintf(path, sizeof path, "%s%s", folder, evhttp_request_get_uri(request));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) {
        evhttp_send_error(request, HTTP_NOTFOUND, NULL);
        return;
    }
    evbuffer_add_file(evhttp_request_get_output_buffer(request), fd, 0, status.st_size);
    reply(request, "application/octet-stream");
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    folder = argv[2];
    signal(SIGPIPE, SIG_IGN);
    struct event_base *base = event_base_new();
    struct evhttp *server = evhttp_new(base);
    evhttp_set_timeout(server, 600);
    evhttp_set_cb(server, "/hello", hello, NULL);
    evhttp_set_cb(server, "/echo", echo, NULL);
    evhttp_set_gencb(server, file, NULL);
    if (evhttp_bind_socket(server, "127.0.0.1", (ev_uint16_t)atoi(argv[1])) < 0) return 1;
    return event_base_dispatch(base);
}
