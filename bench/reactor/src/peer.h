// SPDX-License-Identifier: MIT OR Apache-2.0
/*
 * What the benches ask of a peer. Each file in ../peers answers it for one library; a bench is linked
 * with one of them. A peer that has no timers, or no wake-up, leaves those functions out.
 */
#ifndef PEER_H
#define PEER_H

/* Called with the number of a descriptor or timer. */
typedef void happened(int number);

/* Descriptors: number i is fds[i], never watched twice at a time. */
void peer_open(int count, const int *fds, happened *readable);
void peer_add(int i);            /* for reading */
void peer_modify(int i, int on); /* for writing as well, or not any more */
void peer_renew(int i);          /* for what it is watched for already, anew */
void peer_remove(int i);
void peer_submit(void);          /* hands over what the peer has put off */
void peer_wait(void);            /* waits once, reports what is readable */

/* Timers: each fires once, `ms` from now; arming an armed one moves it. */
void peer_open_timers(int count, happened *expired);
void peer_arm(int i, unsigned ms);
void peer_cancel(int i);
void peer_turn(void);            /* looks once, without waiting */

/* Wake-up of the one thread that waits. */
void peer_open_wake(void);
void peer_wake(void);            /* by another thread */
void peer_await_wake(void);

#endif
