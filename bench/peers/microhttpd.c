// SPDX-License-Identifier: MIT OR Apache-2.0
/* GNU libmicrohttpd under load: one thread with epoll; a fixed text, an echo, files: port folder */
#include <arpa/inet.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECTIONS = 16384, TIMEOUT_S = 600, LONGEST_BODY = 65536 };

struct body {
    size_t length;
    char bytes[LONGEST_BODY];
};
static struct MHD_Response *hello;
static const char *folder;

static enum MHD_Result send_and_drop(struct MHD_Connection *connection, struct MHD_Response *response)
{
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result echo(struct MHD_Connection *connection, const char *data, size_t *length, void **state)
{
    struct body *body = *state;
    if (body == NULL) {
        *state = body = malloc(sizeof *body);
        if (body == NULL) return MHD_NO;
        body->length = 0;
        return MHD_YES;
    }
    if (*length > 0) {
        if (*length > sizeof body->bytes - body->length) return MHD_NO;
        memcpy(body->bytes + body->length, data, *length);
        body->length += *length;
        *length = 0;
        return MHD_YES;
    }
    *state = NULL;
    struct MHD_Response *response = MHD_create_response_from_buffer(body->length, body->bytes, MHD_RESPMEM_MUST_COPY);
    free(body);
    return send_and_drop(connection, response);
}

static enum MHD_Result answer(void *closure, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *length, void **state)
{
    (void)closure, (void)version;
    if (strcmp(method, MHD_HTTP_METHOD_POST) == 0) return echo(connection, data, length, state);
    if (*state == NULL) {
        *state = &hello; /* the first of two calls for a request; the second may answer */
        return MHD_YES;
    }
    *state = NULL;
    if (strcmp(url, "/hello") == 0) return MHD_queue_response(connection, MHD_HTTP_OK, hello);

    char path[4096];
    struct stat status;
    snprintf(path, sizeof path, "%s%s", folder, url);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0) return MHD_NO;
    return send_and_drop(connection, MHD_create_response_from_fd((size_t)status.st_size, fd));
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (argc != 3) return 2;
    address.sin_port = htons((unsigned short)atoi(argv[1]));
    folder = argv[2];
    hello = MHD_create_response_from_buffer(13, "Hello, World!", MHD_RESPMEM_PERSISTENT);
    MHD_add_response_header(hello, "Content-Type", "text/plain");
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)TIMEOUT_S,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u, MHD_OPTION_END);
    if (daemon == NULL) return 1;
    for (;;) pause();
}
