#include "generation/scheduler.h"

#include <algorithm>
#include <chrono>

#include "errors.h"
#include "generation/generation.h"

namespace gt::generation {

namespace {

constexpr auto lingering = std::chrono::microseconds(100);
constexpr int32_t prompt_budget = 512;  // tokens of prompts in one step: how long a prompt may hold up the others

Error disposed() { return {"disposed", "the model was disposed"}; }

}  // namespace

Scheduler::Scheduler(const std::function<std::unique_ptr<Decoder>(const std::atomic<bool>&)>& open)
    : decoder_(open(aborted_)), thread_([this] { loop(); }) {}

Scheduler::~Scheduler() { stop(); }

uint64_t Scheduler::submit(Request request) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_) throw disposed();
  auto job = std::make_shared<Job>();
  job->id = ++last_id_;
  if (request.hooks) interruptible_.emplace_back(job->id, request.hooks);
  job->request = std::move(request);
  messages_.push_back([this, job](Decoder*) { take(job); });
  wake();
  return job->id;
}

void Scheduler::cancel(uint64_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (stopping_) return;
  for (const auto& [owner, hooks] : interruptible_)
    if (owner == id) hooks->interrupt();
  messages_.push_back([this, id](Decoder*) {
    const auto error = std::make_exception_ptr(Error("aborted", "the request was cancelled"));
    for (const auto& job : waiting_)
      if (job->id == id) finish(*job, error);
    for (const auto& job : active_)
      if (job->id == id) finish(*job, error);
    drop_ended();
  });
  aborted_ = true;
  wake();
}

void Scheduler::run(std::function<void(Decoder*)> task) { post(std::move(task), false); }

void Scheduler::run_alone(std::function<void(Decoder*)> task) { post(std::move(task), true); }

void Scheduler::post(std::function<void(Decoder*)> task, bool alone) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!stopping_) {
      messages_.push_back([this, task = std::move(task), alone](Decoder* decoder) mutable {
        if (decoder) take_task(std::move(task), alone);
        else task(nullptr);
      });
      wake();
      return;
    }
  }
  task(nullptr);
}

// A task runs at once, unless it or one before it has to wait.
void Scheduler::take_task(std::function<void(Decoder*)> task, bool alone) {
  const bool held = std::any_of(waiting_.begin(), waiting_.end(), [](const auto& job) { return job->alone && !job->ended; });
  if (!held && (!alone || (active_.empty() && waiting_.empty()))) return task(decoder_.get());
  auto job = std::make_shared<Job>();
  job->task = std::move(task);
  job->alone = alone;
  waiting_.push_back(std::move(job));
}

void Scheduler::release(std::shared_ptr<Cache> cache) {
  run([cache = std::move(cache)](Decoder* decoder) {
    if (!decoder || cache->in_use) return;
    for (Row row : cache->rows) decoder->close_row(row);
    cache->rows.clear();
  });
}

void Scheduler::stop() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    aborted_ = true;
    for (const auto& [owner, hooks] : interruptible_) hooks->interrupt();
    wake();
  }
  std::lock_guard<std::mutex> lock(join_mutex_);
  if (thread_.joinable()) thread_.join();
}

void Scheduler::loop() {
  while (take_messages()) {
    start_waiting();  // what was sent; and below, for whom there is room now
    look_ahead();
    step();
    drop_ended();
    start_waiting();
  }
  std::deque<std::function<void(Decoder*)>> unread;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    unread.swap(messages_);
  }
  for (const auto& message : unread) message(nullptr);
  const auto error = std::make_exception_ptr(disposed());
  for (const auto& job : active_) finish(*job, error);
  for (const auto& job : waiting_) finish(*job, error);
  drop_ended();
  decoder_.reset();
}

// To be called under the lock, after something was sent.
void Scheduler::wake() {
  news_.store(true, std::memory_order_relaxed);
  wake_.notify_one();
}

// Whoever calls again as soon as it has an answer need not wake the thread.
void Scheduler::linger() {
  const auto end = std::chrono::steady_clock::now() + lingering;
  while (!news_.load(std::memory_order_relaxed) && std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

// Runs what was sent, in order; waits when there is nothing to do. False: the thread is to end.
bool Scheduler::take_messages() {
  const bool at_work = std::any_of(active_.begin(), active_.end(), [](const auto& job) { return !job->idle; });
  if (!at_work) linger();
  std::unique_lock<std::mutex> lock(mutex_);
  wake_.wait(lock, [&] { return stopping_ || !messages_.empty() || at_work; });
  news_.store(false, std::memory_order_relaxed);
  while (!stopping_ && !messages_.empty()) {
    aborted_ = false;
    const auto message = std::move(messages_.front());
    messages_.pop_front();
    lock.unlock();
    message(decoder_.get());
    lock.lock();
  }
  return !stopping_;
}

void Scheduler::take(const std::shared_ptr<Job>& job) {
  try {
    job->request.wake = [this] { run([](Decoder*) {}); };
    job->generation = std::make_unique<Generation>(job->request, *decoder_);
    // Others wait for those: they must not stand behind what waits for others.
    waiting_.insert(job->request.at_once ? waiting_.begin() : waiting_.end(), job);
  } catch (...) {
    finish(*job, std::current_exception());
  }
}

// Those that find room start; the first that does not holds back the ones behind it.
void Scheduler::start_waiting() {
  while (!waiting_.empty()) {
    const std::shared_ptr<Job> job = waiting_.front();
    if (job->task) {
      if (job->alone && std::any_of(active_.begin(), active_.end(), [](const auto& one) { return !one->ended; })) return;
      job->ended = true;
      waiting_.pop_front();
      job->task(decoder_.get());
      continue;
    }
    try {
      if (!job->generation->start()) {
        if (!active_.empty() && !job->request.at_once) return;
        throw Error("no_space", "there is no room for this request beside what past_key_values hold");
      }
      active_.push_back(job);
    } catch (...) {
      finish(*job, std::current_exception());
    }
    waiting_.pop_front();
  }
}

void Scheduler::look_ahead() {
  for (const auto& job : active_) {
    try {
      job->idle = !job->generation->look_ahead();
    } catch (...) {
      finish(*job, std::current_exception());
    }
  }
  drop_ended();
}

void Scheduler::step() {
  std::vector<RowInput> batch;
  std::vector<std::pair<Job*, size_t>> fed;  // and where the inputs of each start
  const auto decode = [&](const std::vector<Job*>& jobs) {
    batch.clear();
    fed.clear();
    int32_t budget = prompt_budget;
    for (Job* job : jobs) {
      fed.emplace_back(job, batch.size());
      budget -= std::min(budget, job->generation->add_inputs(batch, budget));
    }
    const auto begin = std::chrono::steady_clock::now();
    const DecodeStatus status = decoder_->decode(batch);
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    for (Job* job : jobs) job->generation->add_decode_time(time.count());
    return status;
  };
  std::vector<Job*> jobs;
  for (const auto& job : active_)
    if (!job->idle) jobs.push_back(job.get());
  if (jobs.empty()) return;
  try {
    DecodeStatus status = decode(jobs);
    // The oldest one goes on alone, so that something ends and gives room to the others.
    if (status == DecodeStatus::no_space && jobs.size() > 1) status = decode({jobs[0]});
    if (status == DecodeStatus::no_space)
      finish(*jobs[0], std::make_exception_ptr(Error("no_space", "the cache has no room for the next tokens")));
    if (status != DecodeStatus::ok) return;
  } catch (...) {
    for (Job* job : jobs) finish(*job, std::current_exception());
    return;
  }
  for (const auto& [job, first] : fed) {
    try {
      job->generation->advance(first);
      if (job->generation->done()) finish(*job, nullptr);
    } catch (...) {
      finish(*job, std::current_exception());
    }
  }
}

// Ends a job: gives its rows back and tells who asked for it.
void Scheduler::finish(Job& job, std::exception_ptr error) {
  if (job.ended) return;
  job.ended = true;
  if (job.task) return job.task(nullptr);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    // stop() interrupts hooks and decoding: what they then throw is not the reason.
    if (error && stopping_) error = std::make_exception_ptr(disposed());
    interruptible_.erase(std::remove_if(interruptible_.begin(), interruptible_.end(),
                                        [&](const auto& one) { return one.first == job.id; }),
                         interruptible_.end());
  }
  Result result;
  if (job.generation) {
    try {
      if (error) job.generation->abandon();
      else result = job.generation->finish();
    } catch (...) {
      if (!error) error = std::current_exception();
    }
    job.generation.reset();
  }
  if (error) job.request.on_error(error);
  else job.request.on_done(std::move(result));
}

void Scheduler::drop_ended() {
  const auto ended = [](const auto& job) { return job->ended; };
  waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), ended), waiting_.end());
  active_.erase(std::remove_if(active_.begin(), active_.end(), ended), active_.end());
}

}  // namespace gt::generation
