/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Keeps a program running: `kqueue-supervise PROGRAM [ARGUMENT...]`. When it ends it is started again,
 * at first after 100 ms and then each time twice as late, up to a minute; a program that ran for ten
 * seconds is forgiven. SIGTERM and SIGINT are passed on to it, and end the supervisor after it. */
#include <sys/types.h>
#include <sys/event.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { RESTART = 1, FIRST_DELAY_MS = 100, LAST_DELAY_MS = 60000, STEADY_S = 10 };

static int kq;
static sigset_t passed_on;

static void watch(uintptr_t ident, short filter, unsigned short flags, unsigned int fflags, intptr_t data)
{
    struct kevent change;
    EV_SET(&change, ident, filter, EV_ADD | flags, fflags, data, NULL);
    if (kevent(kq, &change, 1, NULL, 0, NULL) == -1)
        err(1, "kevent");
}

static pid_t start(char **command)
{
    pid_t child = fork();
    if (child == 0) {
        /* What came since the fork is done here. */
        signal(SIGTERM, SIG_DFL);
        signal(SIGINT, SIG_DFL);
        sigprocmask(SIG_UNBLOCK, &passed_on, NULL);
        execvp(command[0], command);
        err(127, "%s", command[0]);
    }
    if (child == -1)
        err(1, "fork");
    watch((uintptr_t)child, EVFILT_PROC, EV_ONESHOT, NOTE_EXIT, 0);
    printf("started %d\n", (int)child);
    return child;
}

static void report(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status))
        printf("ended by signal %d\n", WTERMSIG(status));
    else
        printf("ended with status %d\n", WEXITSTATUS(status));
}

int main(int argc, char **argv)
{
    struct kevent event;
    time_t started;
    pid_t child;
    int delay_ms = FIRST_DELAY_MS, stopping = 0;

    if (argc < 2)
        errx(2, "usage: %s PROGRAM [ARGUMENT...]", argv[0]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigemptyset(&passed_on);
    sigaddset(&passed_on, SIGTERM);
    sigaddset(&passed_on, SIGINT);
    sigprocmask(SIG_BLOCK, &passed_on, NULL); /* told as events all the same */
    if ((kq = kqueue()) == -1)
        err(1, "kqueue");
    watch(SIGTERM, EVFILT_SIGNAL, 0, 0, 0);
    watch(SIGINT, EVFILT_SIGNAL, 0, 0, 0);
    started = time(NULL);
    child = start(argv + 1);
    while (kevent(kq, NULL, 0, &event, 1, NULL) == 1) {
        if (event.filter == EVFILT_SIGNAL) {
            if (child == 0)
                return 0;
            stopping = 1;
            kill(child, (int)event.ident);
        } else if (event.filter == EVFILT_PROC) {
            report(child);
            child = 0;
            if (stopping)
                return 0;
            if (time(NULL) - started >= STEADY_S)
                delay_ms = FIRST_DELAY_MS;
            watch(RESTART, EVFILT_TIMER, EV_ONESHOT, 0, delay_ms);
            delay_ms = delay_ms < LAST_DELAY_MS / 2 ? 2 * delay_ms : LAST_DELAY_MS;
        } else {
            started = time(NULL);
            child = start(argv + 1);
        }
    }
    err(1, "kevent");
}
