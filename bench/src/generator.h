// SPDX-License-Identifier: MIT OR Apache-2.0
/* What `load` does before it measures, and what it asks the system about the server. */
#ifndef GENERATOR_H
#define GENERATOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { STALL_MS = 5000, STATUS_LENGTH = 12 };

struct connection {
    int fd;
    uint64_t received; /* bytes of the answer under way */
    double due;        /* when its request was to be sent, in an open loop */
};

struct plan {
    struct sockaddr_in server;
    const char *request;
    char *batch; /* the request, as often as it is sent at a time */
    size_t request_length, batch_length;
    bool close_each, truncate;
    int connections, depth, idle;
    double warm_up, measured, rate;
    uint64_t answer_length;
};
extern struct plan plan;

/* Ends the program with a sentence on stderr. */
void fail(const char *what);

/* Reads the command line into `plan`. */
void read_plan(int argc, char **argv);

/* A connection to the server, blocking; time-outs bound what a dead server can cost. */
int dial(void);

/* Asks on a connection and waits for the whole answer, whose length it returns. */
uint64_t ask_once(int fd);

/* Asks twice and sets `plan.answer_length`. */
void learn_answer(void);

/* Whether these are the first bytes of a good answer. */
bool is_ok(const char *bytes, ssize_t length);

/* What a clock shows, in seconds. */
double seconds_of(clockid_t clock);

/* Processor time of the server's processes, in seconds. */
double server_seconds(void);

/* Their memory by a line of /proc/PID/status, in bytes. */
double memory(const char *field);

#endif
