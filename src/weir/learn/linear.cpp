// SPDX-License-Identifier: MIT
#include <Eigen/Cholesky>
#include <cmath>

#include "weir/learn/fit.h"

namespace weir::learn {
namespace {

constexpr auto kWidth = static_cast<Eigen::Index>(std::tuple_size_v<Features>);
using Vector = Eigen::Matrix<double, kWidth, 1>;
using Matrix = Eigen::Matrix<double, kWidth, kWidth>;

/// Of the variance of a feature: keeps apart weights of features that say the same.
constexpr double kRidge = 1e-3;
/// A feature that differs by less is a constant.
constexpr double kConstant = 1e-3;

Vector vector_of(const Row& row) { return Vector(row.features.data()); }

}  // namespace

Linear fit_linear(std::span<const Row> rows) {
  const auto n = static_cast<double>(rows.size());
  Vector mean = Vector::Zero(), spread = Vector::Zero();
  double needed = 0;
  for (const Row& row : rows) {
    mean += vector_of(row) / n;
    needed += row.needed / n;
  }
  for (const Row& row : rows) spread += (vector_of(row) - mean).cwiseAbs2() / n;
  spread = spread.cwiseSqrt();
  const Vector scale = (spread.array() > kConstant).select(spread.cwiseInverse(), Vector::Zero());

  Matrix squares = Matrix::Zero();
  Vector products = Vector::Zero();
  for (const Row& row : rows) {
    const Vector x = (vector_of(row) - mean).cwiseProduct(scale);
    squares.selfadjointView<Eigen::Lower>().rankUpdate(x, 1 / n);
    products += x * ((row.needed - needed) / n);
  }
  squares.diagonal().array() += kRidge;
  const Vector weights = squares.selfadjointView<Eigen::Lower>().ldlt().solve(products).cwiseProduct(scale);

  Linear linear{.weights = {}, .intercept = needed - weights.dot(mean)};
  Vector::Map(linear.weights.data()) = weights;
  return linear;
}

}  // namespace weir::learn
